-- Both tables may be there already, made by an earlier AgentDB9: first its columns, then what this server adds.
CREATE TABLE IF NOT EXISTS "projects" (
    "id" varchar PRIMARY KEY,
    "name" varchar NOT NULL,
    "description" varchar,
    "userId" varchar NOT NULL,
    "repositoryUrl" varchar,
    "localPath" varchar,
    "framework" varchar,
    "language" varchar NOT NULL,
    "status" varchar NOT NULL DEFAULT 'active',
    "agents" text NOT NULL DEFAULT '[]',
    "workspaceId" varchar,
    "workspaceType" varchar,
    "volumePath" varchar,
    "volumeName" varchar,
    "createdAt" timestamp NOT NULL,
    "updatedAt" timestamp NOT NULL
);
UPDATE "projects" SET "createdAt" = '1970-01-01T00:00:00.000Z' WHERE "createdAt" IS NULL;
CREATE INDEX "agentdb9_projects_user" ON "projects" ("userId", "createdAt", "id");
CREATE INDEX "agentdb9_projects_workspace" ON "projects" ("workspaceId");

CREATE TABLE IF NOT EXISTS "workspaces" (
    "id" varchar PRIMARY KEY,
    "name" varchar NOT NULL,
    "description" text,
    "userId" varchar NOT NULL,
    "type" varchar NOT NULL DEFAULT 'vscode',
    "currentProjectId" varchar,
    "config" text NOT NULL,
    "status" varchar NOT NULL DEFAULT 'active',
    "containerName" varchar,
    "volumeName" varchar,
    "isDefault" boolean NOT NULL DEFAULT false,
    "createdAt" timestamp NOT NULL,
    "updatedAt" timestamp NOT NULL
);
UPDATE "workspaces" SET "isDefault" = false WHERE "isDefault" IS NULL;
UPDATE "workspaces" SET "createdAt" = '1970-01-01T00:00:00.000Z' WHERE "createdAt" IS NULL;
ALTER TABLE "workspaces" ADD COLUMN "desiredState" varchar NOT NULL DEFAULT 'stopped';
ALTER TABLE "workspaces" ADD COLUMN "phase" varchar NOT NULL DEFAULT 'stopped';
ALTER TABLE "workspaces" ADD COLUMN "generation" bigint NOT NULL DEFAULT 0;
ALTER TABLE "workspaces" ADD COLUMN "lastGeneration" bigint NOT NULL DEFAULT 0;
ALTER TABLE "workspaces" ADD COLUMN "nextGeneration" bigint;
ALTER TABLE "workspaces" ADD COLUMN "nextProjectId" varchar;
ALTER TABLE "workspaces" ADD COLUMN "lastError" text;
CREATE INDEX "agentdb9_workspaces_user" ON "workspaces" ("userId", "isDefault", "createdAt", "id");
CREATE INDEX "agentdb9_workspaces_current_project" ON "workspaces" ("currentProjectId");
CREATE INDEX "agentdb9_workspaces_next_project" ON "workspaces" ("nextProjectId");
