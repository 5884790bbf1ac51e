-- Accounts. "users" may be there already, made by an earlier AgentDB9: its columns keep their names and its rows stay.
-- Neither this table nor "projects" and "workspaces" carry or receive foreign keys: their ids are uuid in one
-- existing installation and varchar in the next, and their rows may already refer to what is not there.
CREATE TABLE IF NOT EXISTS "users" (
    "id" varchar PRIMARY KEY,
    "email" varchar NOT NULL UNIQUE,
    "username" varchar NOT NULL,
    "password" varchar NOT NULL,
    "firstName" varchar,
    "lastName" varchar,
    "isActive" boolean NOT NULL DEFAULT true,
    "role" varchar NOT NULL DEFAULT 'user',
    "preferences" text,
    "lastLoginAt" timestamp,
    "createdAt" timestamp NOT NULL,
    "updatedAt" timestamp NOT NULL
);
-- What a reader takes as the default is made so, for the queries that compare.
UPDATE "users" SET "isActive" = true WHERE "isActive" IS NULL;
UPDATE "users" SET "createdAt" = '1970-01-01T00:00:00.000Z' WHERE "createdAt" IS NULL;
CREATE INDEX "agentdb9_users_email" ON "users" (lower("email"));

CREATE TABLE "agentdb9_sessions" (
    "id" varchar PRIMARY KEY,
    "userId" varchar NOT NULL,
    "refreshHash" varchar NOT NULL UNIQUE,
    "previousRefreshHash" varchar,
    "address" varchar NOT NULL,
    "userAgent" varchar NOT NULL,
    "createdAt" timestamp NOT NULL,
    "lastUsedAt" timestamp NOT NULL,
    "expiresAt" timestamp NOT NULL,
    "revokedAt" timestamp
);
CREATE INDEX "agentdb9_sessions_previous" ON "agentdb9_sessions" ("previousRefreshHash");
CREATE INDEX "agentdb9_sessions_user" ON "agentdb9_sessions" ("userId");
CREATE INDEX "agentdb9_sessions_expiry" ON "agentdb9_sessions" ("expiresAt");

CREATE TABLE "agentdb9_api_tokens" (
    "id" varchar PRIMARY KEY,
    "userId" varchar NOT NULL,
    "name" varchar NOT NULL,
    "tokenHash" varchar NOT NULL UNIQUE,
    "hint" varchar NOT NULL,
    "createdAt" timestamp NOT NULL,
    "expiresAt" timestamp,
    "lastUsedAt" timestamp,
    "revokedAt" timestamp
);
CREATE INDEX "agentdb9_api_tokens_user" ON "agentdb9_api_tokens" ("userId");

CREATE TABLE "agentdb9_proxy_tickets" (
    "ticketHash" varchar PRIMARY KEY,
    "userId" varchar NOT NULL,
    "sessionId" varchar REFERENCES "agentdb9_sessions" ("id") ON DELETE CASCADE,
    "apiTokenId" varchar REFERENCES "agentdb9_api_tokens" ("id") ON DELETE CASCADE,
    "workspaceId" varchar NOT NULL,
    "port" integer NOT NULL,
    "expiresAt" timestamp NOT NULL
);
CREATE INDEX "agentdb9_proxy_tickets_session" ON "agentdb9_proxy_tickets" ("sessionId");
CREATE INDEX "agentdb9_proxy_tickets_api_token" ON "agentdb9_proxy_tickets" ("apiTokenId");
CREATE INDEX "agentdb9_proxy_tickets_expiry" ON "agentdb9_proxy_tickets" ("expiresAt");

CREATE TABLE "agentdb9_settings" (
    "name" varchar PRIMARY KEY,
    "value" text NOT NULL
);
