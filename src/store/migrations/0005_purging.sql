-- The removal of a volume has begun: from then on its project or workspace cannot be restored.
ALTER TABLE "agentdb9_volume_tombstones" ADD COLUMN "purgingSince" timestamp;
