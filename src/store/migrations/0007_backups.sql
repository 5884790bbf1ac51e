-- What is done with a project's files as a whole. A row belongs to the server that does the work, which writes
-- "renewedAt" while it lives.
CREATE TABLE "agentdb9_project_operations" (
    "id" varchar PRIMARY KEY,
    "projectId" varchar NOT NULL,
    "sequence" bigint NOT NULL,
    "userId" varchar NOT NULL,
    "kind" varchar NOT NULL,
    "state" varchar NOT NULL,
    "phase" varchar NOT NULL,
    "progress" integer,
    "errorCode" varchar,
    "error" text,
    "requestedBy" varchar,
    "backupId" varchar,
    "newProjectId" varchar,
    "volumeName" varchar,
    "server" varchar NOT NULL,
    "renewedAt" timestamp NOT NULL,
    "frozenUntil" timestamp,
    "createdAt" timestamp NOT NULL,
    "startedAt" timestamp,
    "finishedAt" timestamp,
    UNIQUE ("projectId", "sequence")
);
-- One backup or restore of a project at a time. What makes a new project leaves it alone.
CREATE UNIQUE INDEX "agentdb9_project_operations_open" ON "agentdb9_project_operations" ("projectId")
    WHERE "state" IN ('pending', 'running') AND "newProjectId" IS NULL;
CREATE INDEX "agentdb9_project_operations_finished" ON "agentdb9_project_operations" ("finishedAt");
-- Backups outlive their projects: a row goes when its file has gone.
CREATE TABLE "agentdb9_backups" (
    "id" varchar PRIMARY KEY,
    "projectId" varchar NOT NULL,
    "userId" varchar NOT NULL,
    "projectName" varchar NOT NULL,
    "name" varchar,
    "state" varchar NOT NULL,
    "file" varchar NOT NULL,
    "sizeBytes" bigint NOT NULL,
    "contentBytes" bigint NOT NULL,
    "files" bigint NOT NULL,
    "sha256" varchar NOT NULL,
    "consistent" boolean NOT NULL,
    "scheduled" boolean NOT NULL,
    "snapshot" text NOT NULL,
    "createdAt" timestamp NOT NULL,
    "finishedAt" timestamp,
    "error" text
);
CREATE INDEX "agentdb9_backups_project" ON "agentdb9_backups" ("projectId");
CREATE INDEX "agentdb9_backups_user" ON "agentdb9_backups" ("userId");
