-- Memory (MB) that a running workspace's container may have still, though its limit is lower by now.
ALTER TABLE "workspaces" ADD COLUMN "memoryHeld" integer;
