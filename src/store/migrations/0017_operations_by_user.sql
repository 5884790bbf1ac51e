-- The latest work on a user's projects, for those who watch them.
CREATE INDEX "agentdb9_project_operations_user" ON "agentdb9_project_operations" ("userId", "sequence");
