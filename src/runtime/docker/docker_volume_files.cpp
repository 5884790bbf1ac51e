// Files in volumes by ContainerArchive and PutContainerArchive on a container that is never started: its
// image is empty, so that nothing is copied into an empty volume, and nothing but the volume can be seen in
// it.
#include <array>
#include <cstring>

#include "base/log.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"
#include "runtime/docker/root_entry.hpp"

namespace agentdb9::runtime::docker {

namespace {

constexpr auto kHelperImage = "agentdb9-helper:empty";
constexpr auto kHelperLabel = "agentdb9.helper";
// Where workspaces have it too, so that absolute links into the project lead to the same place.
constexpr auto kMountPoint = "/workspace";
constexpr std::chrono::minutes kSilence(1);

class Bytes final : public base::ByteSource {
  public:
    explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
    Task<std::size_t> read(std::span<char> room) override {
        const auto amount = std::min(room.size(), bytes_.size() - at_);
        std::memcpy(room.data(), bytes_.data() + at_, amount);
        at_ += amount;
        co_return amount;
    }

  private:
    std::string bytes_;
    std::size_t at_ = 0;
};

bool stays_inside(std::string_view path) {
    if (path.starts_with('/')) return false;
    while (!path.empty()) {
        const auto slash = path.find('/');
        if (path.substr(0, slash) == "..") return false;
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return true;
}

base::Error path_not_found() {
    return base::Error(base::ErrorCode::kNotFound, "path_not_found",
                       "There is no file or directory of this path in the project.");
}

std::string archive_of(const std::string& helper, const std::string& path) {
    return "/containers/" + percent_encode(helper) + "/archive?path=" + percent_encode(path);
}

[[noreturn]] void throw_not_unpacked(const EngineAnswer& answer) {
    if (answer.message().find("no space left") != std::string::npos) {
        throw base::Error(
            base::ErrorCode::kUnavailable, "engine_storage_full",
            "There is no space left where the container engine keeps volumes; make room there and "
            "try again.")
            .with_internal(answer.message());
    }
    throw base::conflict("archive_refused", "The container engine would not unpack the archive: " +
                                                answer.message() + ". Use another one.");
}

}  // namespace

Task<> DockerRuntime::make_helper_image() {
    constexpr std::size_t kEmptyArchive = 1024;
    Bytes archive(std::string(kEmptyArchive, '\0'));
    const std::string image = kHelperImage;
    const auto colon = image.find(':');
    const auto answer = co_await engine_.upload(
        "POST", "/images/create?fromSrc=-&repo=" + image.substr(0, colon) + "&tag=" + image.substr(colon + 1),
        archive, kSilence);
    if (!answer.ok()) throw_failure(answer, "make the helper's image");
}

Task<std::string> DockerRuntime::make_helper(std::string volume, bool read_only) {
    // The engine would make one that is not there.
    const auto found = co_await find_volume(volume);
    if (!found || !found->ours) {
        throw base::Error(base::ErrorCode::kNotFound, "volume_missing",
                          "The volume '" + volume + "' is not on the container engine.");
    }
    json::object mount{
        {"Type", "volume"}, {"Source", volume}, {"Target", kMountPoint}, {"ReadOnly", read_only}};
    json::object labels{
        {kManagedLabel, "true"}, {kInstanceLabel, installation_.view()}, {kHelperLabel, "volume"}};
    const json::object body{
        {"Image", kHelperImage},
        {"Cmd", json::array{"never-started"}},
        {"Labels", std::move(labels)},
        {"HostConfig", json::object{{"NetworkMode", "none"}, {"Mounts", json::array{std::move(mount)}}}}};
    auto answer = co_await engine_.call("POST", "/containers/create", body);
    if (answer.status == 404) {
        co_await make_helper_image();
        answer = co_await engine_.call("POST", "/containers/create", body);
    }
    if (!answer.ok()) throw_failure(answer, "create the helper");
    co_return text_at(answer.parsed().as_object(), "Id");
}

Task<> DockerRuntime::remove_helper(std::string id) {
    try {
        const auto answer =
            co_await engine_.call("DELETE", "/containers/" + percent_encode(id) + "?force=1&v=0");
        if (answer.ok() || answer.status == 404) co_return;
        log::warning("a helper container stays", {{"container", id}, {"reason", answer.message()}});
    } catch (const base::Error& failure) {
        log::warning("a helper container stays", {{"container", id}, {"reason", failure.what()}});
    }
}

Task<> DockerRuntime::finish_with(std::string helper, std::exception_ptr failure) {
    // One who is cancelled has nothing else to wait for.
    if (failure && base::is_cancellation(failure))
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await remove_helper(std::move(helper));
    if (failure) std::rethrow_exception(failure);
}

Task<> DockerRuntime::read_by(std::string helper, std::string path, base::ByteSink& sink) {
    const auto place = std::string(kMountPoint) + (path.empty() ? "" : "/" + path);
    // As a directory first: then its entries are named "./…". A file's path with "/." is an error.
    auto answer = co_await engine_.download(archive_of(helper, place + "/."), sink, kSilence);
    if (answer.ok()) co_return;
    if (!path.empty()) answer = co_await engine_.download(archive_of(helper, place), sink, kSilence);
    if (answer.status == 404) throw path_not_found();
    if (!answer.ok()) throw_failure(answer, "read the volume");
}

Task<> DockerRuntime::read_volume(std::string volume, std::string path, base::ByteSink& sink) {
    if (!stays_inside(path)) throw path_not_found();
    const auto helper = co_await make_helper(std::move(volume), true);
    std::exception_ptr failure;
    try {
        co_await read_by(helper, std::move(path), sink);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await finish_with(helper, failure);
}

Task<> DockerRuntime::write_by(std::string helper, base::ByteSource& source) {
    RootEntry rooted(source);
    auto answer = co_await engine_.upload("PUT", archive_of(helper, kMountPoint), rooted, kSilence);
    if (!answer.ok()) throw_not_unpacked(answer);
    auto root = rooted.named(std::string(kMountPoint).substr(1) + "/");
    if (!root) co_return;
    Bytes root_only(std::move(*root));
    answer = co_await engine_.upload("PUT", archive_of(helper, "/"), root_only, kSilence);
    if (!answer.ok()) throw_not_unpacked(answer);
}

Task<> DockerRuntime::write_volume(std::string volume, base::ByteSource& source) {
    const auto helper = co_await make_helper(std::move(volume), false);
    std::exception_ptr failure;
    try {
        co_await write_by(helper, source);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await finish_with(helper, failure);
}

Task<> DockerRuntime::remove_leftovers(std::chrono::seconds age) {
    const json::object filters{
        {"label",
         json::array{json::string(std::string(kInstanceLabel) + "=" + installation_.str()), kHelperLabel}}};
    const auto answer = co_await engine_.call(
        "GET", "/containers/json?all=1&filters=" + percent_encode(json::serialize(filters)));
    if (!answer.ok()) throw_failure(answer, "list helpers");
    const auto parsed = answer.parsed();
    if (!parsed.is_array()) co_return;
    const auto newest = base::to_unix_seconds(clock_.now() - age);
    for (const auto& entry : parsed.get_array()) {
        const auto* object = entry.if_object();
        const auto* made = object == nullptr ? nullptr : object->if_contains("Created");
        if (made == nullptr || !made->is_int64() || made->get_int64() > newest) continue;
        co_await remove_helper(text_at(*object, "Id"));
    }
}

}  // namespace agentdb9::runtime::docker
