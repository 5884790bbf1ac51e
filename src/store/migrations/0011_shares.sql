-- Who beside the owner may use one port of a workspace. A row that is gone, or whose time is over, opens nothing.
CREATE TABLE "agentdb9_shares" (
    "id" varchar PRIMARY KEY,
    "workspaceId" varchar NOT NULL,
    "userId" varchar NOT NULL,
    "port" integer NOT NULL,
    "level" varchar NOT NULL,
    "createdAt" timestamp NOT NULL,
    "expiresAt" timestamp
);
CREATE INDEX "agentdb9_shares_workspace" ON "agentdb9_shares" ("workspaceId");
-- Of links there may be many; the other levels are on or off.
CREATE UNIQUE INDEX "agentdb9_shares_level" ON "agentdb9_shares" ("workspaceId", "port", "level") WHERE "level" <> 'link';
