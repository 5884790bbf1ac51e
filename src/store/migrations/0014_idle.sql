-- When a workspace that nobody uses is stopped: its own setting (absent: its type's), a lease that keeps it on, and when it was told.
ALTER TABLE "workspaces" ADD COLUMN "idleStopMinutes" integer;
ALTER TABLE "workspaces" ADD COLUMN "keepAliveUntil" timestamp;
ALTER TABLE "workspaces" ADD COLUMN "idleWarnedAt" timestamp;
-- When it is started and stopped by the clock, and up to which moment that was done.
ALTER TABLE "workspaces" ADD COLUMN "schedule" text;
ALTER TABLE "workspaces" ADD COLUMN "scheduleSeenAt" timestamp;
-- When something of a kind last happened in it, noted by whichever server saw it, once a minute at most.
CREATE TABLE "agentdb9_workspace_activity" (
    "workspaceId" varchar NOT NULL,
    "source" varchar NOT NULL,
    "at" timestamp NOT NULL,
    PRIMARY KEY ("workspaceId", "source")
);
