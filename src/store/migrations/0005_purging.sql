-- The removal of a volume has begun: from then on its project or workspace cannot be restored.
ALTER TABLE "volume_tombstones" ADD COLUMN "purgingSince" timestamp;
