-- What an API token may do (full, write, read), and the one workspace that it is for; null: all of its owner's.
ALTER TABLE "agentdb9_api_tokens" ADD COLUMN "power" varchar NOT NULL DEFAULT 'full';
ALTER TABLE "agentdb9_api_tokens" ADD COLUMN "workspaceId" varchar;
