// Whole volumes read from their directories: several times as fast as by the engine's archive call. Only
// where it is certain that what this process sees under the directory's path is what the engine sees there.
#include "archive/tar.hpp"
#include "archive/tree.hpp"
#include "base/crypto.hpp"
#include "base/log.hpp"
#include "base/string_source.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"
#include "runtime/docker/volume_directory.hpp"

namespace agentdb9::runtime::docker {

namespace {

constexpr auto kProofFile = "proof";
constexpr std::size_t kPiece = std::size_t{256} << 10;

std::string archive_of_file(const std::string& name, const std::string& content) {
    std::string bytes;
    archive::TarWriter tar([&](std::span<const char> piece) { bytes.append(piece.data(), piece.size()); });
    tar.add({.path = name, .size = content.size(), .mode = 0600});
    tar.write(content);
    tar.finish();
    return bytes;
}

// Ids inside containers are the host's own.
bool maps_no_users(const json::object& info) {
    const auto* options = info.if_contains("SecurityOptions");
    if (options == nullptr || !options->is_array()) return true;
    for (const auto& option : options->get_array()) {
        const std::string_view text = option.is_string() ? std::string_view(option.get_string()) : "";
        if (text.starts_with("name=userns") || text.starts_with("name=rootless")) return false;
    }
    return true;
}

// An ordinary directory, not something that is mounted while a container has it.
bool is_plain(const json::object& volume) {
    const auto* options = object_at(volume, "Options");
    return text_at(volume, "Driver") == "local" && (options == nullptr || options->empty());
}

}  // namespace

Task<std::optional<json::object>> DockerRuntime::inspect_volume(std::string name) {
    const auto answer = co_await engine_.call("GET", "/volumes/" + percent_encode(name));
    if (answer.status == 404) co_return std::nullopt;
    if (!answer.ok()) throw_failure(answer, "inspect volume");
    auto parsed = answer.parsed();
    if (!parsed.is_object()) co_return std::nullopt;
    co_return std::move(parsed.get_object());
}

// 1. Cheap looks: the engine is here, the volume is a plain directory that is there, and we may read it
// all. 2. Once for each event stream, the proof: what the engine writes into a volume is seen here. 3. The
// directory itself.
Task<std::unique_ptr<base::ByteSource>> DockerRuntime::open_directory(std::string volume) {
    if (!options_.reads_directories || !engine_.is_local()) co_return nullptr;
    const auto found = co_await inspect_volume(volume);
    if (!found || !is_plain(*found)) co_return nullptr;
    const auto parent = parent_of_volume(text_at(*found, "Mountpoint"), volume);
    if (!parent || !co_await disk_.run([&] { return reads_every_file() && is_directory(*parent); }))
        co_return nullptr;
    if (seen_directory_ != parent) {
        if (!co_await sees(*parent)) co_return nullptr;
        seen_directory_ = parent;
        log::info("volumes are read from their directories", {{"directory", *parent}});
    }
    auto directory = co_await disk_.run([&] { return open_volume(*parent, volume); });
    if (!directory) co_return nullptr;
    co_return std::make_unique<archive::TreeReader>(executor_, std::move(directory));
}

Task<bool> DockerRuntime::sees(std::string parent) {
    const auto info = co_await engine_.call("GET", "/info");
    if (!info.ok()) throw_failure(info, "ask for the engine's properties");
    const auto parsed = info.parsed();
    if (!parsed.is_object() || !maps_no_users(parsed.get_object())) co_return false;
    const auto name = "agentdb9-proof-" + base::InstallationId::generate().str();
    json::object labels{{kHelperLabel, installation_.view()}, {kHelperProcessLabel, process_}};
    const json::object body{{"Name", name}, {"Driver", "local"}, {"Labels", std::move(labels)}};
    const auto made = co_await engine_.call("POST", "/volumes/create", body);
    if (!made.ok()) throw_failure(made, "create a volume");
    bool seen = false;
    std::exception_ptr failure;
    try {
        seen = co_await sees_what_is_written(parent, name);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await finish_with("/volumes/" + name, failure);
    co_return seen;
}

Task<bool> DockerRuntime::sees_what_is_written(std::string parent, std::string volume) {
    const auto word = base::random_token(32);
    const auto helper = co_await create_helper(volume, false);
    std::exception_ptr failure;
    try {
        base::StringSource source(archive_of_file(kProofFile, word));
        co_await write_by(helper, source);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await finish_with("/containers/" + helper, failure);
    co_return co_await disk_.run(
        [&] { return read_small_file(open_volume(parent, volume), kProofFile) == word; });
}

Task<> DockerRuntime::read_directly(base::ByteSource& from, base::ByteSink& to) {
    std::vector<char> piece(kPiece);
    while (const auto got = co_await from.read(piece))
        co_await to.write(std::span(piece).first(got));
}

}  // namespace agentdb9::runtime::docker
