-- The trash. A row is the only permission to remove a volume, and it stays after the removal as its record.
CREATE TABLE "agentdb9_volume_tombstones" (
    "id" varchar PRIMARY KEY,
    "kind" varchar NOT NULL,
    "volumeName" varchar NOT NULL,
    "userId" varchar NOT NULL,
    "ownerId" varchar NOT NULL,
    "ownerName" varchar NOT NULL,
    "snapshot" text NOT NULL,
    "deletedAt" timestamp NOT NULL,
    "purgeAfter" timestamp NOT NULL,
    "restoredAt" timestamp,
    "purgedAt" timestamp
);
-- A volume lies in the trash once.
CREATE UNIQUE INDEX "agentdb9_volume_tombstones_open" ON "agentdb9_volume_tombstones" ("volumeName")
    WHERE "restoredAt" IS NULL AND "purgedAt" IS NULL;
CREATE INDEX "agentdb9_volume_tombstones_user" ON "agentdb9_volume_tombstones" ("userId");
