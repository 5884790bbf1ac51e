-- What an earlier installation made and an operator gave to this one. The engine adds no label to what is there, so
-- this table is the label: a volume by its name (engines give it no id, and
-- its time of creation changes with its content), an instance by its id.
CREATE TABLE "agentdb9_adopted" (
    "runtimeId" varchar PRIMARY KEY,
    "kind" varchar NOT NULL,
    "ownerId" varchar NOT NULL,
    "generation" bigint NOT NULL DEFAULT 0,
    "adoptedAt" timestamp NOT NULL
);
