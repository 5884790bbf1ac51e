#include "services/project_files.hpp"

#include <algorithm>

#include "services/access.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using store::Transaction;

namespace {

constexpr std::chrono::minutes kUsageTime{1};
constexpr std::chrono::seconds kLookLimit{60};
constexpr std::size_t kMostRemembered = 10'000;
constexpr std::size_t kMostEntries = 200'000;
constexpr std::size_t kPiece = std::size_t{256} * 1024;

Task<archive::Listing> list_volume(ProjectTools tools, std::string volume, std::string path,
                                   std::size_t most) {
    archive::Lister lister(tools.executor, most);
    co_await tools.volumes.read_volume(std::move(volume), std::move(path), lister);
    co_return co_await lister.finish();
}

std::string without_slashes(std::string path) {
    const auto first = path.find_first_not_of('/');
    if (first == std::string::npos) return {};
    const auto last = path.find_last_not_of('/');
    return path.substr(first, last - first + 1);
}

}  // namespace

// A coroutine of the scope's reads the volume; the request's reads this.
class ProjectFiles::Download final : public ProjectFiles::Content {
  public:
    explicit Download(const asio::any_io_executor& executor) : content_(executor) {}
    const archive::Entry& head() const override { return head_.value(); }
    Task<std::string> piece() override {
        std::string bytes(kPiece, '\0');
        bytes.resize(co_await content_.read(bytes));
        co_return bytes;
    }
    archive::FileContent& content() { return content_; }
    Task<> wait_for_head() { head_ = co_await content_.head(); }

  private:
    archive::FileContent content_;
    std::optional<archive::Entry> head_;
};

Task<std::string> ProjectFiles::volume_of(base::UserId user, base::ProjectId id) {
    const auto project = co_await t_.store.read([=](Transaction& tx) { return owned_project(tx, user, id); });
    if (!project.volume_name) {
        throw base::conflict("project_has_no_volume",
                             "This project has no files yet; start a workspace with it first.");
    }
    co_return *project.volume_name;
}

Task<Usage> ProjectFiles::measure(base::UserId user, base::ProjectId project) {
    const auto volume = co_await volume_of(user, project);
    const auto now = t_.clock.now();
    if (const auto known = usage_.find(volume);
        known != usage_.end() && now - known->second.measured_at < kUsageTime)
        co_return known->second;
    const auto listing = co_await list_volume(t_, volume, "", 0);
    if (usage_.size() >= kMostRemembered) usage_.clear();
    const Usage usage{listing.contents, now};
    usage_[volume] = usage;
    co_return usage;
}

Task<ProjectFiles::Directory> ProjectFiles::list(base::UserId user, base::ProjectId project, std::string path,
                                                 std::size_t limit) {
    const auto volume = co_await volume_of(user, project);
    path = without_slashes(std::move(path));
    auto listing =
        co_await base::with_timeout(t_.clock, kLookLimit, list_volume(t_, volume, path, kMostEntries));
    if (!listing) {
        throw Error(ErrorCode::kTimeout, "directory_too_large",
                    "Too much lies below this directory to list it in a minute; list one further down.");
    }
    Directory directory;
    directory.complete = listing->entries.size() < kMostEntries;
    for (auto& entry : listing->entries) {
        // The directory itself, and what is further down.
        if (entry.path.empty() || entry.path.contains('/')) continue;
        directory.entries.push_back(std::move(entry));
    }
    // A file's own stream has nothing but the file, under its own name.
    const bool itself = listing->contents.directories == 0 && directory.entries.size() == 1;
    if (itself && !path.empty() && path.ends_with(directory.entries.front().path)) {
        throw base::conflict("not_a_directory",
                             "This is a file and no directory; ask for its content instead.");
    }
    std::ranges::sort(directory.entries, {}, &archive::Entry::path);
    if (directory.entries.size() > limit) {
        directory.entries.resize(limit);
        directory.complete = false;
    }
    co_return directory;
}

Task<std::shared_ptr<ProjectFiles::Content>> ProjectFiles::open(base::UserId user, base::ProjectId project,
                                                                std::string path) {
    const auto volume = co_await volume_of(user, project);
    auto download = std::make_shared<Download>(t_.executor);
    scope_.spawn("read a file of a project", fill(download, volume, without_slashes(std::move(path))));
    co_await download->wait_for_head();
    co_return download;
}

Task<> ProjectFiles::fill(std::shared_ptr<Download> download, std::string volume, std::string path) {
    std::exception_ptr failure;
    try {
        co_await t_.volumes.read_volume(std::move(volume), std::move(path), download->content());
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure)
        download->content().fail(failure);
    else
        download->content().finish();
}

Task<archive::Written> ProjectFiles::write_archive(std::string volume, std::filesystem::path file) {
    archive::Writer writer(t_.executor, std::move(file));
    co_await t_.volumes.read_volume(std::move(volume), "", writer);
    co_return co_await writer.finish();
}

Task<ProjectFiles::Export> ProjectFiles::export_archive(base::UserId user, base::ProjectId id) {
    const auto project = co_await t_.store.read([=](Transaction& tx) { return owned_project(tx, user, id); });
    const auto volume = co_await volume_of(user, id);
    co_await t_.files.prepare_scratch();
    const auto path = t_.files.scratch(base::OperationId::generate().str());
    const auto written = co_await write_archive(volume, path);
    auto file = co_await t_.files.open(path);
    // It lasts as long as somebody reads it, and no longer.
    co_await t_.files.remove_scratch(path);
    co_return Export{project, std::move(file), written.sha256};
}

}  // namespace agentdb9::services
