// Images under a name: how they come, what it leads to, and their end.
#include "base/log.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"
#include "runtime/docker/registry_logins.hpp"

namespace agentdb9::runtime::docker {
namespace {

constexpr std::chrono::seconds kRegistryAnswers(15);

}  // namespace

std::string DockerRuntime::logins_file() const {
    if (options_.registry_logins) return *options_.registry_logins;
    const auto usual = default_logins_file();
    return usual ? usual->string() : std::string();
}

RegistryLogin DockerRuntime::login_for(const std::string& image) const {
    const auto file = logins_file();
    if (file.empty()) return {};
    auto login = read_login(file, image);
    if (!login.trouble.empty()) {
        log::warning("no login for a registry",
                     {{"file", file}, {"registry", registry_of(image)}, {"reason", login.trouble}});
    }
    return login;
}

Task<bool> DockerRuntime::has_image(std::string image) {
    const auto answer = co_await engine_.call("GET", "/images/" + percent_encode(image) + "/json");
    if (answer.status == 404) co_return false;
    if (!answer.ok()) throw_failure(answer, "inspect image");
    co_return true;
}

// Engine API, "DistributionInspect": asks the registry without pulling.
Task<bool> DockerRuntime::can_pull(std::string image) {
    const auto answer = co_await engine_.call("GET", "/distribution/" + percent_encode(image) + "/json", {},
                                              kRegistryAnswers, {login_for(image).header});
    co_return answer.ok();
}

Task<> DockerRuntime::ensure_image(std::string image, std::function<void(const PullProgress&)> progress) {
    if (co_await has_image(image)) co_return;
    // "name:tag" or "name@digest"; without either the engine would pull every tag.
    const auto slash = image.rfind('/');
    const bool tagged = image.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos ||
                        image.find('@') != std::string::npos;
    const std::string whole = tagged ? image : image + ":latest";
    std::string pending;
    std::string failure;
    int status = 0;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> layers;  // id → done, total
    const auto read_line = [&](std::string_view line) {
        boost::system::error_code ec;
        const auto value = json::parse(json::string_view(line.data(), line.size()), ec);
        if (ec || !value.is_object()) return;
        const auto& object = value.get_object();
        if (auto error = text_at(object, "error"); !error.empty()) failure = error;
        if (const auto* detail = object_at(object, "progressDetail")) {
            const auto* current = detail->if_contains("current");
            const auto* total = detail->if_contains("total");
            if (current != nullptr && total != nullptr && current->is_int64() && total->is_int64()) {
                layers[text_at(object, "id")] = {current->get_int64(), total->get_int64()};
            }
        }
        std::int64_t done = 0, all = 0;
        for (const auto& [id, layer] : layers) {
            done += layer.first;
            all += layer.second;
        }
        progress({text_at(object, "status"),
                  all > 0 ? std::optional(static_cast<int>(done * 100 / all)) : std::nullopt});
    };
    std::string refusal;
    const auto login = login_for(whole);
    co_await engine_.stream(
        "POST", "/images/create?fromImage=" + percent_encode(whole), [&](int answered) { status = answered; },
        [&](std::string_view data) {
            if (status != 200) {
                refusal += data;
                return;
            }
            pending += data;
            for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
                read_line(std::string_view(pending).substr(0, end));
                pending.erase(0, end + 1);
            }
        },
        std::chrono::minutes(5), {login.header});
    read_line(pending);
    // A pull answers 200 and tells its failure inside the stream.
    if (status != 200) failure = EngineAnswer{status, refusal}.message();
    if (!failure.empty()) {
        if (!login.trouble.empty()) failure += "; there is no login for it: " + login.trouble;
        throw image_unavailable(image, failure);
    }
    if (!co_await has_image(image))
        throw image_unavailable(image, "the engine does not show it after the pull");
}

Task<std::optional<std::string>> DockerRuntime::image_id(std::string image) {
    const auto answer = co_await engine_.call("GET", "/images/" + percent_encode(image) + "/json");
    if (answer.status == 404) co_return std::nullopt;
    if (!answer.ok()) throw_failure(answer, "inspect image");
    const auto parsed = answer.parsed();
    auto id = parsed.is_object() ? text_at(parsed.get_object(), "Id") : std::string();
    if (id.empty()) throw_failure(answer, "inspect image, no id");
    co_return id;
}

// Engine API, "ImageDelete". Without force the engine keeps what any container was made from.
Task<> DockerRuntime::remove_image(std::string image) {
    const auto answer = co_await engine_.call("DELETE", "/images/" + percent_encode(image) + "?force=false",
                                              {}, std::chrono::minutes(2));
    if (answer.ok() || answer.status == 404) co_return;
    if (answer.status == 409) {
        throw base::Error(base::ErrorCode::kConflict, "image_in_use",
                          "A container was made from the image '" + image + "', so it stays.")
            .with_internal(answer.message());
    }
    throw_failure(answer, "remove image");
}

}  // namespace agentdb9::runtime::docker
