// Files in volumes by ContainerArchive and PutContainerArchive on a container that is never started: its
// image is empty, so that nothing is copied into an empty volume, and nothing but the volume can be seen in
// it.
#include "base/log.hpp"
#include "base/string_source.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"
#include "runtime/docker/root_entry.hpp"

namespace agentdb9::runtime::docker {

namespace {

constexpr auto kHelperImage = "agentdb9-helper:empty";
// Where workspaces have it too, so that absolute links into the project lead to the same place.
constexpr auto kMountPoint = "/workspace";
constexpr std::chrono::minutes kSilence(1);

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
    base::StringSource archive(std::string(kEmptyArchive, '\0'));
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
    co_return co_await create_helper(std::move(volume), read_only);
}

Task<std::string> DockerRuntime::create_helper(std::string volume, bool read_only) {
    json::object mount{
        {"Type", "volume"}, {"Source", volume}, {"Target", kMountPoint}, {"ReadOnly", read_only}};
    json::object labels{{kManagedLabel, "true"},
                        {kInstanceLabel, installation_.view()},
                        {kHelperLabel, "volume"},
                        {kHelperProcessLabel, process_}};
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

Task<> DockerRuntime::remove_helper(std::string target) {
    // Of a container, its volumes stay.
    const auto how = target.starts_with("/containers/") ? "?force=1&v=0" : "";
    try {
        const auto answer = co_await engine_.call("DELETE", target + how);
        if (answer.ok() || answer.status == 404) co_return;
        log::warning("a helper of the engine stays", {{"helper", target}, {"reason", answer.message()}});
    } catch (const base::Error& failure) {
        log::warning("a helper of the engine stays", {{"helper", target}, {"reason", failure.what()}});
    }
}

Task<> DockerRuntime::finish_with(std::string target, std::exception_ptr failure) {
    // One who is cancelled has nothing else to wait for.
    if (failure && base::is_cancellation(failure))
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await remove_helper(std::move(target));
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
    const auto helper = co_await make_helper(volume, true);
    std::exception_ptr failure;
    try {
        // Where a part is asked for, links may lead to it, in the way that the engine follows them.
        const auto directory = path.empty() ? co_await open_directory(volume) : nullptr;
        if (directory) {
            co_await read_directly(*directory, sink);
        } else {
            co_await read_by(helper, std::move(path), sink);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    co_await finish_with("/containers/" + helper, failure);
}

Task<> DockerRuntime::write_by(std::string helper, base::ByteSource& source) {
    RootEntry rooted(source);
    auto answer = co_await engine_.upload("PUT", archive_of(helper, kMountPoint), rooted, kSilence);
    if (!answer.ok()) throw_not_unpacked(answer);
    auto root = rooted.named(std::string(kMountPoint).substr(1) + "/");
    if (!root) co_return;
    base::StringSource root_only(std::move(*root));
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
    co_await finish_with("/containers/" + helper, failure);
}

// The request of a server that has died may still be carried out when the next one runs already: what counts
// is who asked, not when.
Task<std::vector<DockerRuntime::FoundLeftover>> DockerRuntime::find_leftovers(std::chrono::seconds age) {
    const auto newest = clock_.now() - age;
    const auto is_mine = [this](const json::object& entry) {
        const auto* labels = entry.if_contains("Labels");
        return labels != nullptr && labels->is_object() &&
               text_at(labels->get_object(), kHelperProcessLabel) == process_;
    };
    std::vector<FoundLeftover> found;
    const auto mine = std::string(kInstanceLabel) + "=" + installation_.str();
    for (const auto& entry : co_await entries("/containers/json?all=1&",
                                              {{"label", json::array{json::string(mine), kHelperLabel}}})) {
        if (is_mine(entry)) continue;
        const auto* made = entry.if_contains("Created");
        if (made == nullptr || !made->is_int64() || made->get_int64() > base::to_unix_seconds(newest))
            continue;
        const auto id = text_at(entry, "Id");
        found.push_back({"/containers/" + percent_encode(id),
                         {"container " + id.substr(0, 12), base::from_unix_ms(made->get_int64() * 1000)}});
    }
    // Only volumes that sees() makes carry this label. The engine keeps what a container still has.
    const auto proof = std::string(kHelperLabel) + "=" + installation_.str();
    for (const auto& entry : co_await entries("/volumes?", {{"label", json::array{json::string(proof)}}})) {
        if (is_mine(entry)) continue;
        const auto made = base::parse_time(text_at(entry, "CreatedAt"));
        const auto name = text_at(entry, "Name");
        if (made && *made <= newest)
            found.push_back({"/volumes/" + percent_encode(name), {"empty volume " + name, made}});
    }
    co_return found;
}

Task<> DockerRuntime::remove_leftovers(std::chrono::seconds age) {
    for (const auto& each : co_await find_leftovers(age))
        co_await remove_helper(each.target);
}

Task<std::vector<Leftover>> DockerRuntime::leftovers(std::chrono::seconds age) {
    std::vector<Leftover> all;
    for (auto& each : co_await find_leftovers(age))
        all.push_back(std::move(each.leftover));
    co_return all;
}

}  // namespace agentdb9::runtime::docker
