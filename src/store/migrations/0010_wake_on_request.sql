-- A request for its application may start the workspace when it is stopped.
ALTER TABLE "workspaces" ADD COLUMN "wakeOnRequest" boolean NOT NULL DEFAULT false;
