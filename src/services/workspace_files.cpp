#include "services/workspace_files.hpp"

#include <algorithm>

#include "services/copy_scripts.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using runtime::OutputStream;

namespace {

constexpr auto kProject = "/workspace";
constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMostSaid = 4096;
// Who copies is there; a stream on which nothing comes or goes is ended by the data plane.
constexpr std::chrono::hours kLongestCopy{24};

Error bad_path(std::string problem) {
    return base::invalid_field("path", std::move(problem));
}

bool lies_in(const std::string& path, const std::string& root) {
    return path == root || path.starts_with(root + "/");
}

// Components alone: ".." takes the one before it away.
std::string normalized(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= path.size();) {
        const auto slash = std::min(path.find('/', at), path.size());
        auto part = path.substr(at, slash - at);
        at = slash + 1;
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            parts.push_back(std::move(part));
        } else if (!parts.empty()) {
            parts.pop_back();
        }
    }
    std::string whole;
    for (const auto& part : parts)
        whole += "/" + part;
    return whole;
}

void keep_said(std::string& said, const std::string& bytes) {
    if (said.size() < kMostSaid) said.append(bytes, 0, kMostSaid - said.size());
}

// What tar said last, in one line that can be shown.
std::string last_words(const std::string& said) {
    std::string line;
    std::string last;
    for (const char c : said + "\n") {
        if (c == '\n') {
            if (!line.empty() && !line.contains("Exiting with failure")) last = line;
            line.clear();
        } else {
            const auto byte = static_cast<unsigned char>(c);
            line += byte < 0x20 || byte >= 0x7f ? '?' : c;
        }
    }
    return last.empty() ? "it does not say why" : last;
}

// A file that somebody writes to while it is read is copied as it was found.
bool only_changed_meanwhile(const std::string& said) {
    std::string line;
    bool any = false;
    for (const char c : said + "\n") {
        if (c != '\n') {
            line += c;
            continue;
        }
        if (!line.empty() && !line.contains("changed as we read it") && !line.contains("socket ignored") &&
            !line.contains("removed before we read it"))
            return false;
        any = any || !line.empty();
        line.clear();
    }
    return any;
}

[[noreturn]] void throw_refusal(int code, const std::string& said) {
    switch (code) {
        case kPathNotFound:
            throw Error(ErrorCode::kNotFound, "path_not_found",
                        "There is no file or directory of this path in the workspace.");
        case kOutside:
            throw bad_path("leads, by a link, out of the project and the home: name the place where it lies");
        case kNoTar:
            throw base::conflict(
                "no_tar",
                "The workspace's image has no tar, without which no files can be copied; ask "
                "the operator for another image.");
        case kNoDirectory:
            throw base::conflict("not_a_directory",
                                 "The directory to copy into is not there, or is a file; make it first.");
        case kSeveralEntries:
            throw base::conflict("several_entries",
                                 "Several things can only be copied into a directory that is there; make it "
                                 "first, or name another.");
        case kInTheWay:
            throw base::conflict(
                "something_in_the_way",
                "A directory is to be copied where a file or link is, or a file where a "
                "directory is; nothing was put in its place. What does not meet anything may "
                "have been copied.");
        case kNoEntries:
            throw base::conflict("archive_refused", "The archive holds nothing.");
        case kNotWritable:
            throw base::conflict("not_writable",
                                 "The workspace's user may not write there, or there is no room; a part may "
                                 "have been copied. Name another directory, or change its permissions.");
        default:
            throw base::conflict("archive_refused",
                                 "The workspace's tar could not unpack it (" + last_words(said) +
                                     "); nothing was copied. Is there room, and is it a tar archive?");
    }
}

Error not_whole(const CommandEnd& end, const std::string& said) {
    if (end.ending == CommandEnding::kWorkspaceStopped) {
        return base::conflict("workspace_stopped",
                              "The workspace was stopped, restarted or switched while its files were copied; "
                              "start it, and copy again.");
    }
    return Error(ErrorCode::kUnavailable, "copy_broken",
                 "The copy was ended before it was whole (" + last_words(said) + "); try again.");
}

// Counts what passes, and remembers what broke it.
class Counted final : public base::ByteSource {
  public:
    Counted(std::shared_ptr<base::ByteSource> source, std::uint64_t most)
        : source_(std::move(source)), most_(most) {}

    Task<std::size_t> read(std::span<char> room) override {
        try {
            const auto got = co_await source_->read(room);
            bytes_ += got;
            if (bytes_ > most_) {
                throw Error(ErrorCode::kTooLarge, "upload_too_large",
                            "This is more than the server takes at once (" + std::to_string(most_) +
                                " bytes, its setting backups.importLimit); copy it in parts.");
            }
            co_return got;
        } catch (const Error&) {
            failure_ = std::current_exception();
            throw;
        }
    }
    std::uint64_t bytes() const { return bytes_; }
    const std::exception_ptr& failure() const { return failure_; }

  private:
    std::shared_ptr<base::ByteSource> source_;
    std::uint64_t most_;
    std::uint64_t bytes_ = 0;
    std::exception_ptr failure_;
};

}  // namespace

FilePlace read_place(const std::string& path, const std::optional<std::string>& home) {
    if (path.empty()) throw bad_path("is missing");
    if (path.size() > kMaxPath) throw bad_path("must have at most 4096 bytes");
    if (path.contains('\0')) throw bad_path("must not contain a zero byte");
    std::string whole = path;
    if (path == "~" || path.starts_with("~/")) {
        if (!home) throw bad_path("names a home, which workspaces of this type do not keep; use /workspace");
        whole = *home + path.substr(1);
    } else if (!path.starts_with('/')) {
        whole = std::string(kProject) + "/" + path;
    }
    FilePlace place;
    place.must_be_directory = whole.ends_with('/') || whole.ends_with("/.");
    place.roots.emplace_back(kProject);
    if (home) place.roots.push_back(*home);
    const auto clean = normalized(whole);
    const auto is_root = std::ranges::find(place.roots, clean) != place.roots.end();
    if (!std::ranges::any_of(place.roots, [&](const auto& root) { return lies_in(clean, root); })) {
        throw bad_path("must lie in the project, " + std::string(kProject) +
                       (home ? ", or in the home, " + *home : std::string()));
    }
    const auto slash = clean.rfind('/');
    place.directory = is_root ? clean : clean.substr(0, slash);
    place.name = is_root ? "." : clean.substr(slash + 1);
    return place;
}

Task<FilePlace> WorkspaceFiles::place(const auth::Principal& caller, base::WorkspaceId id,
                                      const std::string& path) {
    const auto workspace = co_await workspaces_.find(caller.user, id);
    const auto* type = catalogue_.find(workspace.type);
    co_return read_place(path, type != nullptr ? type->home_path : std::nullopt);
}

Task<std::shared_ptr<WorkspaceFiles::Reading>> WorkspaceFiles::read(auth::Principal caller,
                                                                    base::WorkspaceId workspace,
                                                                    std::string path) {
    auto who = executions_.pending(caller);
    const auto from = co_await place(caller, workspace, path);
    CommandRequest request;
    request.spec.command = reading_command(from.directory, from.name, from.roots);
    request.spec.directory = kProject;
    request.time_limit = kLongestCopy;
    co_return std::make_shared<Reading>(
        co_await executions_.run(std::move(who), workspace, std::move(request)));
}

Task<std::string> WorkspaceFiles::Reading::piece() {
    while (auto output = co_await command_->next()) {
        if (output->stream == OutputStream::kStdout) co_return std::move(output->bytes);
        keep_said(said_, output->bytes);
    }
    const auto& end = command_->how_it_ended();
    if (end.ending != CommandEnding::kItself || !end.exit_code || end.dropped_bytes > 0)
        throw not_whole(end, said_);
    if (*end.exit_code == 0 || only_changed_meanwhile(said_)) co_return std::string();
    if (*end.exit_code >= kPathNotFound && *end.exit_code <= kNoTar) throw_refusal(*end.exit_code, said_);
    throw base::conflict("not_readable", "Not all of it could be read (" + last_words(said_) +
                                             "); copy what can be, or change its permissions.");
}

Task<std::uint64_t> WorkspaceFiles::write(auth::Principal caller, base::WorkspaceId workspace,
                                          std::string path, std::shared_ptr<base::ByteSource> tar) {
    auto who = executions_.pending(caller);
    const auto to = co_await place(caller, workspace, path);
    auto counted = std::make_shared<Counted>(std::move(tar), most_bytes_);
    CommandRequest request;
    request.spec.command = writing_command(to.directory, to.name, to.must_be_directory, to.roots);
    request.spec.directory = kProject;
    request.spec.input = true;
    request.time_limit = kLongestCopy;
    request.source = counted;
    const auto command = co_await executions_.run(std::move(who), workspace, std::move(request));
    std::string said;
    while (const auto output = co_await command->next()) {
        if (output->stream == OutputStream::kStderr) keep_said(said, output->bytes);
    }
    if (counted->failure()) std::rethrow_exception(counted->failure());
    const auto& end = command->how_it_ended();
    if (end.ending != CommandEnding::kItself || !end.exit_code) throw not_whole(end, said);
    if (*end.exit_code != 0) throw_refusal(*end.exit_code, said);
    co_return counted->bytes();
}

}  // namespace agentdb9::services
