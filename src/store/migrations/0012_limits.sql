-- What a workspace may use, as its user set it: a JSON object of some limits; null: all as its type has it.
ALTER TABLE "workspaces" ADD COLUMN "resourceLimits" text;
-- What the operator set for one user; null: as the configuration has it, 0: no limit.
CREATE TABLE "agentdb9_quotas" (
    "userId" varchar PRIMARY KEY,
    "workspaces" bigint,
    "running" bigint,
    "cpus" double precision,
    "memory" bigint,
    "volumeBytes" bigint
);
-- What a user's volumes held when they were last measured.
CREATE TABLE "agentdb9_volume_use" (
    "userId" varchar PRIMARY KEY,
    "bytes" bigint NOT NULL,
    "measuredAt" timestamp NOT NULL
);
