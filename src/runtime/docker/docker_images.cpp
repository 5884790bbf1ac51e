// Images under a name: what it leads to, and its end. How they come is with the instances
// (docker_runtime.cpp).
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"

namespace agentdb9::runtime::docker {

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
