-- Since when the holder of a lease has been seen to be away from the database, by the database's clock.
ALTER TABLE "agentdb9_leases" ADD COLUMN "absentSince" timestamp;
-- The volumes on which a workspace is being started: held for as long as its lease has this token.
CREATE TABLE "agentdb9_volume_claims" (
    "volume" varchar PRIMARY KEY,
    "workspaceId" varchar NOT NULL,
    "token" bigint NOT NULL
);
