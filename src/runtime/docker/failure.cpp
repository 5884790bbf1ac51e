#include "runtime/docker/failure.hpp"

namespace agentdb9::runtime::docker {

using base::Error;
using base::ErrorCode;

namespace {

std::string words(const EngineAnswer& answer, std::string_view what) {
    return std::string(what) + ": " + std::to_string(answer.status) + " " + answer.message();
}

}  // namespace

void throw_failure(const EngineAnswer& answer, std::string_view what) {
    throw Error(ErrorCode::kUpstream, "runtime_error",
                "The container engine could not do this: " + answer.message() +
                    ". Look at the engine's log, then try again.")
        .with_internal(words(answer, what));
}

void throw_instance_failure(const EngineAnswer& answer, std::string_view what) {
    if (answer.status == 404) throw instance_not_found().with_internal(words(answer, what));
    throw_failure(answer, what);
}

Error instance_not_found() {
    return Error(ErrorCode::kNotFound, "instance_not_found",
                 "The container is not there any more; start the workspace again.");
}

Error name_taken(const std::string& name) {
    return base::conflict("instance_name_taken",
                          "Another container is already called '" + name +
                              "'; remove or rename it on the server, then try again; an earlier AgentDB9's "
                              "is taken over with 'agentdb9 adopt'.");
}

Error image_unavailable(const std::string& image, const std::string& reason) {
    return base::conflict("image_unavailable", "The image '" + image +
                                                   "' is not on the server and could not be pulled (" +
                                                   reason +
                                                   "). Build or pull it on the server, log in at its "
                                                   "registry there ('docker login'), or set another "
                                                   "containerImage for this workspace type.");
}

bool network_is_ambiguous(const EngineAnswer& answer) {
    return !answer.ok() && answer.message().find("is ambiguous") != std::string::npos;
}

bool network_refused_it(const EngineAnswer& answer) {
    const auto message = answer.message();
    if (network_is_ambiguous(answer)) return true;
    if (answer.status == 404 && message.starts_with("network ") && message.ends_with(" not found"))
        return true;
    // The engine has no codes for these, and its words differ between 20.10 and later ones.
    for (const std::string_view each :
         {"ddress already in use", "does not belong to any of this network's subnets", "no configured subnet",
          "only when connecting to networks with user configured subnets"}) {
        if (message.find(each) != std::string::npos) return true;
    }
    return false;
}

}  // namespace agentdb9::runtime::docker
