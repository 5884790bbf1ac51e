-- "sequence" numbers a workspace's operations in the order in which they were asked for: two of them may well fall
-- into the same millisecond. An operation outlives its workspace, so that who waits for a deletion can read its end.
CREATE TABLE "agentdb9_operations" (
    "id" varchar PRIMARY KEY,
    "workspaceId" varchar NOT NULL,
    "sequence" bigint NOT NULL,
    "kind" varchar NOT NULL,
    "state" varchar NOT NULL,
    "phase" varchar NOT NULL,
    "progress" integer,
    "errorCode" varchar,
    "error" text,
    "requestedBy" varchar,
    "projectId" varchar,
    "force" boolean NOT NULL DEFAULT false,
    "createdAt" timestamp NOT NULL,
    "startedAt" timestamp,
    "finishedAt" timestamp,
    UNIQUE ("workspaceId", "sequence")
);
-- A workspace has at most one operation in progress.
CREATE UNIQUE INDEX "agentdb9_operations_open" ON "agentdb9_operations" ("workspaceId")
    WHERE "state" IN ('pending', 'running');
CREATE INDEX "agentdb9_operations_finished" ON "agentdb9_operations" ("finishedAt");
