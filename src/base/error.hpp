// The one exception of the control plane. It carries a protocol-neutral code, a word for machines, a sentence
// for the person and, apart from these, a text for the log only. `api` maps the code to an HTTP status in one
// place, `cli` to an exit code.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentdb9::base {

enum class ErrorCode {
    kInvalid,          // the request itself is wrong (400)
    kUnauthenticated,  // who is asking is not known (401)
    kForbidden,        // known, but not allowed whatever the object (403)
    kNotFound,         // not there, or not yours: the two are told alike (404)
    kConflict,         // right at another time, or after another step (409)
    kTooLarge,         // over a size limit (413)
    kRateLimited,      // too many tries (429)
    kQuota,            // over a limit that the operator set (409)
    kUnavailable,      // a part that we depend on does not answer now (503)
    kUpstream,         // a part that we depend on answered wrongly (502)
    kTimeout,          // a part that we depend on took too long (504)
    kInternal,         // our fault (500)
};

// Of what an operator has limited.
struct Amounts {
    double limit = 0;
    double used = 0;
    double asked = 0;
};

struct FieldProblem {
    std::string field;    // as the client wrote it, e.g. "name" or "workspaceTypes.vscode.defaultPort"
    std::string problem;  // "must have 1 to 100 characters"
    std::optional<Amounts> amounts = std::nullopt;
};

class Error : public std::exception {
  public:
    // `word`: lower_snake_case, stable, part of the API. `message`: one sentence that says what to do next.
    Error(ErrorCode code, std::string word, std::string message);

    ErrorCode code() const { return code_; }
    const std::string& word() const { return word_; }
    const std::string& message() const { return message_; }
    // For the log only: SQL, engine answers, system error texts. Never sent to a client.
    const std::string& internal() const { return internal_; }
    const std::vector<FieldProblem>& fields() const { return fields_; }
    // How long the client should wait before it tries again, in seconds (Retry-After).
    std::optional<int> retry_after_seconds() const { return retry_after_seconds_; }

    Error&& with_internal(std::string text) &&;
    Error&& with_field(std::string field, std::string problem) &&;
    Error&& with_detail(FieldProblem detail) &&;
    Error&& with_retry_after(int seconds) &&;

    const char* what() const noexcept override { return what_.c_str(); }

  private:
    void compose_what();

    ErrorCode code_;
    std::string word_;
    std::string message_;
    std::string internal_;
    std::vector<FieldProblem> fields_;
    std::optional<int> retry_after_seconds_;
    std::string what_;
};

// Shorthand for the errors that services throw most.
Error invalid_field(std::string field, std::string problem);
Error not_found(std::string_view what);  // "workspace" → "No workspace with this id exists."
Error conflict(std::string word, std::string message);

}  // namespace agentdb9::base
