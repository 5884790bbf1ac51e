-- What happened in a workspace's life: a row a happening, written with the change that it tells of. The latest rows are kept, for
-- a time; they go for good with the workspace.
CREATE TABLE "agentdb9_life_events" (
    "id" varchar PRIMARY KEY,
    "workspaceId" varchar NOT NULL,
    "sequence" bigint NOT NULL,
    "kind" varchar NOT NULL,
    "at" timestamp NOT NULL,
    "actor" varchar NOT NULL,
    "actorId" varchar,
    "why" text NOT NULL,
    "operationId" varchar,
    "details" text NOT NULL,
    UNIQUE ("workspaceId", "sequence")
);
CREATE INDEX "agentdb9_life_events_at" ON "agentdb9_life_events" ("at");
-- What the server did by itself for an application that did not answer.
ALTER TABLE "workspaces" ADD COLUMN "restarts" integer NOT NULL DEFAULT 0;
ALTER TABLE "workspaces" ADD COLUMN "restartedAt" timestamp;
ALTER TABLE "workspaces" ADD COLUMN "unhealthySince" timestamp;
