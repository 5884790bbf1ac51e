// What came back, or did not, in words for a person.
#include <algorithm>

#include "cli/client/api.hpp"
#include "cli/client/text.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;

ErrorCode code_of(int status) {
    switch (status) {
        case 400:
        case 405:
        case 413:
            return ErrorCode::kInvalid;
        case 401:
            return ErrorCode::kUnauthenticated;
        case 403:
            return ErrorCode::kForbidden;
        case 404:
            return ErrorCode::kNotFound;
        case 409:
            return ErrorCode::kConflict;
        case 429:
            return ErrorCode::kRateLimited;
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

// Of something else: a web server, or a proxy before a server that is down.
Error foreign(const std::string& url, const HttpAnswer& answer) {
    const auto told = " (HTTP status " + std::to_string(answer.status) + ")";
    if (answer.status >= 300 && answer.status < 400) {
        return Error(ErrorCode::kUpstream, "redirected",
                     "The server at " + url + " sends elsewhere" + told +
                         (answer.location.empty() ? "" : ", to " + printable(answer.location)) +
                         ". If that is the right address, log in there: agentdb9 login URL");
    }
    if (answer.status >= 502 && answer.status <= 504) {
        return Error(ErrorCode::kUnavailable, "server_unreachable",
                     "What answers at " + url + " does not reach its server" + told +
                         ". Try again in a moment, then ask whoever runs it.");
    }
    return Error(ErrorCode::kUpstream, "no_such_server",
                 "What answers at " + url + " is no AgentDB9 server" + told +
                     ". Check the address; 'agentdb9 login URL' names another one.");
}

}  // namespace

Error failure_error(const std::string& url, const HttpFailure& failure, std::chrono::milliseconds limit) {
    const auto reason = " (" + printable(failure.reason) + ")";
    switch (failure.kind) {
        case HttpFailure::Kind::kUnreachable:
            return Error(ErrorCode::kUnavailable, "server_unreachable",
                         "The server at " + url + " cannot be reached" + reason +
                             ". Check that it runs and that the address is right; 'agentdb9 login URL' names "
                             "another one.");
        case HttpFailure::Kind::kSilent:
            return Error(
                ErrorCode::kTimeout, "server_silent",
                "The server at " + url + " did not answer within " +
                    std::to_string(std::chrono::ceil<std::chrono::seconds>(limit).count()) +
                    " s. Try again, or give it more time with --timeout; 'agentdb9 login URL' names another "
                    "address.");
        case HttpFailure::Kind::kCertificate:
            return Error(ErrorCode::kUnavailable, "certificate_refused",
                         "The certificate of " + url + " is not accepted" + reason +
                             ". If an authority of your own signed it, name that: agentdb9 login " + url +
                             " --cacert FILE");
        case HttpFailure::Kind::kCancelled:
            return Error(ErrorCode::kUnavailable, "interrupted", "Interrupted.");
        case HttpFailure::Kind::kOther:
            break;
    }
    return Error(ErrorCode::kUnavailable, "exchange_failed",
                 "The exchange with " + url + " failed" + reason +
                     ". Check the address; 'agentdb9 login URL' names "
                     "another one.");
}

Error unreadable(const std::string& url) {
    return Error(ErrorCode::kUpstream, "answer_unreadable",
                 "The answer of " + url + " cannot be read; is the server of another version?");
}

const json::array& rows_of(const json::value& data, const std::string& url) {
    const bool fits = data.is_array() && std::ranges::all_of(data.get_array(), [](const json::value& row) {
                          return row.is_object();
                      });
    if (!fits) throw unreadable(url);
    return data.get_array();
}

ApiAnswer read_answer(const std::string& url, const HttpAnswer& answer) {
    auto parsed = base::parse_json_or(answer.body, nullptr);
    if (!parsed.is_object()) throw foreign(url, answer);
    auto& object = parsed.get_object();
    if (answer.status >= 200 && answer.status < 300) return {answer.status, std::move(object)};
    const auto sentence = text_in(object, "error");
    const auto request = text_in(object, "requestId");
    if (sentence.empty() || answer.status < 400) throw foreign(url, answer);
    throw Error(code_of(answer.status), text_in(object, "code"),
                printable_lines(sentence) + (request.empty() ? "" : " (request " + printable(request) + ")"));
}

}  // namespace agentdb9::cli::client
