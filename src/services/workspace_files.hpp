// Files into a running workspace and out of it, as tar streams, by the workspace's own tar: with the rights
// of its user, who may do the same in a terminal. Nothing but its project and its home can be named, and no
// link leads out of them. Control executor.
#pragma once

#include <memory>
#include <string>

#include "model/workspace_type.hpp"
#include "services/execution_service.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::services {

// A place in a workspace: checked by its letters alone; links are looked at where they lie.
struct FilePlace {
    std::string directory;  // absolute, without a slash at its end
    std::string name;       // "." for a root itself
    bool must_be_directory = false;
    std::vector<std::string> roots;  // the project's, and the home's where there is one
};
// `path`: any bytes; relative to the project, or "~/…" to the home. Throws kInvalid, field "path".
FilePlace read_place(const std::string& path, const std::optional<std::string>& home);

class WorkspaceFiles {
  public:
    // All outlive this. `most_bytes`: of one stream that is put.
    WorkspaceFiles(ExecutionService& executions, WorkspacesService& workspaces,
                   const model::Catalogue& catalogue, std::uint64_t most_bytes)
        : executions_(executions), workspaces_(workspaces), catalogue_(catalogue), most_bytes_(most_bytes) {}

    // What is there as a tar stream: a directory's entries are named "./…", itself "./"; a file's or link's
    // has its own name. Returns once something comes. Throws what ExecutionService::run does, kNotFound
    // "path_not_found", kInvalid for a place that a link leads out of, kConflict "no_tar".
    class Reading;
    Task<std::shared_ptr<Reading>> read(auth::Principal caller, base::WorkspaceId workspace,
                                        std::string path);

    // Puts what a tar stream holds into the directory `path`; where there is none of that name, its only
    // entry becomes `path`. Each thing appears under its name when all of the stream has come. Returns how
    // many bytes that were. Throws the same, kConflict "not_a_directory", "something_in_the_way",
    // "several_entries", "archive_refused", "not_writable", kTooLarge "upload_too_large" and what `tar`
    // throws.
    Task<std::uint64_t> write(auth::Principal caller, base::WorkspaceId workspace, std::string path,
                              std::shared_ptr<base::ByteSource> tar);

  private:
    Task<FilePlace> place(const auth::Principal& caller, base::WorkspaceId workspace,
                          const std::string& path);

    ExecutionService& executions_;
    WorkspacesService& workspaces_;
    const model::Catalogue& catalogue_;
    std::uint64_t most_bytes_;
};

class WorkspaceFiles::Reading {
  public:
    explicit Reading(std::shared_ptr<CommandReader> command) : command_(std::move(command)) {}

    // The next piece; empty at the end. Throws where not all of it could be read.
    Task<std::string> piece();

  private:
    std::shared_ptr<CommandReader> command_;
    std::string said_;  // on its standard error
};

}  // namespace agentdb9::services
