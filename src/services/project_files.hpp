// Looking into a project's volume: how much there is, directories, single files, all of it as one archive.
// Works while a workspace runs, is stopped or is broken. Control executor. Throws Error{kNotFound} for what
// is not the user's and for paths that are not there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/tar_stream.hpp"
#include "base/pipe.hpp"
#include "services/backups.hpp"

namespace agentdb9::services {

struct Usage {
    archive::Contents contents;
    base::Time measured_at;
};

class ProjectFiles {
  public:
    explicit ProjectFiles(const ProjectTools& tools) : t_(tools), scope_(tools.executor) {}

    // Reads the whole volume; a figure that is less than a minute old is told again.
    Task<Usage> measure(base::UserId user, base::ProjectId project);

    struct Directory {
        std::vector<archive::Entry> entries;  // by name; their paths are names
        bool complete = true;                 // false: there are more than were asked for
    };
    // The engine tells of a directory only together with all that is below it: kTimeout "directory_too_large"
    // when that takes longer than a minute.
    Task<Directory> list(base::UserId user, base::ProjectId project, std::string path, std::size_t limit);

    // A file's content as it is read from the volume. kConflict "not_a_file".
    class Content {
      public:
        virtual ~Content() = default;
        virtual const archive::Entry& head() const = 0;
        virtual Task<std::string> piece() = 0;  // empty: the end
    };
    Task<std::shared_ptr<Content>> open(base::UserId user, base::ProjectId project, std::string path);

    struct Export {
        model::Project project;
        std::shared_ptr<BackupFiles::File> file;
        std::string sha256;
    };
    // The volume as it is now as an archive, which is made first and ends with the last use of its file.
    Task<Export> export_archive(base::UserId user, base::ProjectId project);

    // Cancels what is being read.
    Task<> close() { co_await scope_.close(); }

  private:
    class Download;
    Task<std::string> volume_of(base::UserId user, base::ProjectId project);
    Task<archive::Written> write_archive(std::string volume, std::filesystem::path file);
    Task<> fill(std::shared_ptr<Download> download, std::string volume, std::string path);

    ProjectTools t_;
    std::map<std::string, Usage> usage_;  // by volume
    base::Scope scope_;
};

}  // namespace agentdb9::services
