#include "cli/operator_client.hpp"

#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>

#include "base/async.hpp"
#include "base/error.hpp"
#include "cli/core.hpp"
#include "cli/exchange.hpp"

namespace agentdb9::cli {

using base::Error;
using base::ErrorCode;

namespace {

constexpr std::chrono::milliseconds kTryAgain{50};
// Another command may own the data directory for a moment, and a server that starts does not listen at once.
constexpr std::chrono::seconds kOwnerPatience{10};

Error silent(const ExchangeFailure& failure, const std::string& socket) {
    const auto who = failure.process ? "The server (process " + std::to_string(*failure.process) + ")"
                                     : std::string("A server");
    return Error(ErrorCode::kUnavailable, "server_silent",
                 who + " runs on this data directory but did not answer at " + socket + " (" +
                     failure.reason + "). Look at its log; end it if it hangs, and start it again.");
}

ErrorCode code_of(int status) {
    switch (status) {
        case 400:
        case 405:
        case 413:
            return ErrorCode::kInvalid;
        case 403:
            return ErrorCode::kForbidden;
        case 404:
            return ErrorCode::kNotFound;
        case 409:
            return ErrorCode::kConflict;
        case 502:
            return ErrorCode::kUpstream;
        case 503:
            return ErrorCode::kUnavailable;
        case 504:
            return ErrorCode::kTimeout;
        default:
            return ErrorCode::kInternal;
    }
}

std::string text_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

OperatorAnswer read_answer(int status, const std::string& body) {
    const auto parsed = base::parse_json_or(body, nullptr);
    if (!parsed.is_object()) {
        throw Error(ErrorCode::kInternal, "answer_unreadable",
                    "The server's answer cannot be read; is it of another version? 'agentdb9 doctor' tells.");
    }
    const auto& object = parsed.get_object();
    if (status >= 400) throw Error(code_of(status), text_in(object, "code"), text_in(object, "error"));
    const auto* data = object.if_contains("data");
    return {data != nullptr ? *data : json::value(nullptr), text_in(object, "message")};
}

}  // namespace

// The core, without a listener and without a reconciler at work.
class OperatorClient::Local {
  public:
    Local(const config::Configuration& configuration, std::unique_ptr<store::Store> store)
        : core_(io_.get_executor(), configuration, std::move(store), load_keys(configuration)) {}
    Local(const Local&) = delete;
    Local& operator=(const Local&) = delete;
    ~Local() = default;

    http::Response handle(http::Request request) {
        std::optional<http::Response> response;
        asio::co_spawn(io_, core_.operator_api.handle(std::move(request)),
                       [&response](std::exception_ptr failure, http::Response answer) {
                           if (failure) std::rethrow_exception(failure);
                           response = std::move(answer);
                       });
        io_.restart();
        io_.run();
        return std::move(response.value());
    }

  private:
    asio::io_context io_{1};
    Core core_;
};

OperatorClient::OperatorClient(config::Configuration configuration, std::chrono::milliseconds patience)
    : configuration_(std::move(configuration)), patience_(patience) {}

OperatorClient::~OperatorClient() = default;

// 1. A server that listens is asked, and nobody else. 2. When nobody listens and the data directory's lock
// can be had, this process answers. 3. Somebody who has the lock and does not listen starts, ends, or is a
// command like this one: try again for a while.
OperatorAnswer OperatorClient::call(const std::string& method, const std::string& target,
                                    const json::object& body) {
    const auto path = "/operator" + target;
    const auto text = method == "POST" || method == "PUT" ? base::to_text(body) : std::string();
    const auto socket = configuration_.operator_socket();
    const auto deadline = std::chrono::steady_clock::now() + kOwnerPatience;
    while (!local_) {
        const auto answer = exchange(socket, method, path, text, patience_);
        if (answer) return read_answer(answer->status, answer->body);
        const auto& failure = answer.error();
        switch (failure.kind) {
            case ExchangeFailure::Kind::kForbidden:
                throw Error(ErrorCode::kForbidden, "operator_socket_forbidden",
                            "The server's socket " + socket.string() +
                                " belongs to another user: run this command as the one who runs the server.");
            case ExchangeFailure::Kind::kSilent:
            case ExchangeFailure::Kind::kBroken:
                throw silent(failure, socket.string());
            case ExchangeFailure::Kind::kNobodyListens:
                break;
        }
        try {
            become_owner();
        } catch (const Error& error) {
            if (error.word() != "data_directory_in_use") throw;
            if (std::chrono::steady_clock::now() > deadline)
                throw Error(ErrorCode::kUnavailable, "server_silent",
                            "Another agentdb9 owns the data directory " + configuration_.data_dir.string() +
                                " but does not listen at " + socket.string() +
                                ". Try again in a moment; if that stays so, end it and start it again.");
        }
        if (!local_) std::this_thread::sleep_for(kTryAgain);
    }
    http::Request request;
    request.id = "command";
    request.method = method;
    request.target = path;
    request.body = text;
    request.peer = "operator";
    if (!text.empty()) request.headers.add("Content-Type", "application/json");
    const auto response = local_->handle(std::move(request));
    return read_answer(response.status, response.body);
}

void OperatorClient::become_owner() {
    std::error_code ec;
    if (const auto file = sqlite_file(configuration_); file && !std::filesystem::exists(*file, ec)) {
        const auto why = ec ? ec.message() : "there is no " + file->filename().string();
        throw Error(ErrorCode::kNotFound, "no_installation",
                    "No installation is found in " + file->parent_path().string() + " (" + why +
                        "): name its data directory with --data-dir, or make one with 'agentdb9 migrate' or "
                        "'agentdb9 serve'.");
    }
    local_ = std::make_unique<Local>(configuration_, open_migrated_store(configuration_));
}

}  // namespace agentdb9::cli
