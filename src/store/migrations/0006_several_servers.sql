-- Who works on a workspace, where several servers share the database. "token" grows with every new holder, so that
-- one who comes too late finds that it is not theirs any more.
CREATE TABLE "agentdb9_leases" (
    "workspaceId" varchar PRIMARY KEY,
    "holder" varchar NOT NULL,
    "token" bigint NOT NULL,
    "until" timestamp NOT NULL
);
-- The serving instance is about to be stopped for its replacement: every server lets requests wait.
ALTER TABLE "workspaces" ADD COLUMN "held" boolean NOT NULL DEFAULT false;
