#include "base/error.hpp"

namespace agentdb9::base {

Error::Error(ErrorCode code, std::string word, std::string message)
    : code_(code), word_(std::move(word)), message_(std::move(message)) {
    compose_what();
}

Error&& Error::with_internal(std::string text) && {
    internal_ = std::move(text);
    compose_what();
    return std::move(*this);
}

Error&& Error::with_field(std::string field, std::string problem) && {
    fields_.push_back({std::move(field), std::move(problem)});
    return std::move(*this);
}

Error&& Error::with_detail(FieldProblem detail) && {
    fields_.push_back(std::move(detail));
    return std::move(*this);
}

Error&& Error::with_retry_after(int seconds) && {
    retry_after_seconds_ = seconds;
    return std::move(*this);
}

void Error::compose_what() {
    what_ = word_ + ": " + message_;
    if (!internal_.empty()) what_ += " [" + internal_ + "]";
}

Error invalid_field(std::string field, std::string problem) {
    std::string message = "The field '" + field + "' " + problem + ".";
    return Error(ErrorCode::kInvalid, "invalid_field", std::move(message))
        .with_field(std::move(field), std::move(problem));
}

Error not_found(std::string_view what) {
    return Error(ErrorCode::kNotFound, std::string(what) + "_not_found",
                 "No " + std::string(what) + " with this id exists.");
}

Error conflict(std::string word, std::string message) {
    return Error(ErrorCode::kConflict, std::move(word), std::move(message));
}

}  // namespace agentdb9::base
