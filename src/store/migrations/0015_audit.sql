-- Who asked for what, from where, and what came of it. Kept when the account goes.
CREATE TABLE "agentdb9_audit" (
    "id" varchar PRIMARY KEY,
    "at" timestamp NOT NULL,
    "userId" varchar,
    "who" varchar NOT NULL,
    "credential" varchar NOT NULL,
    "address" varchar NOT NULL,
    "action" varchar NOT NULL,
    "target" varchar NOT NULL,
    "status" integer NOT NULL,
    "code" varchar NOT NULL,
    "requestId" varchar NOT NULL
);
CREATE INDEX "agentdb9_audit_at" ON "agentdb9_audit" ("at", "id");
CREATE INDEX "agentdb9_audit_user" ON "agentdb9_audit" ("userId", "at");
