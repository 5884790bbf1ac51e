// A request and its response as complete values, the way they cross from the data plane to the control plane
// and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.hpp"
#include "base/bytes.hpp"
#include "base/time.hpp"

namespace agentdb9::http {

bool iequals_same_size(std::string_view a, std::string_view b);
// ASCII only, as field names are (RFC 9110 section 5.1).
inline bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    // Nearly all that differ do so in the first letter. Other characters may look alike here.
    constexpr unsigned kCase = 0x20;
    const auto first = [](std::string_view text) { return static_cast<unsigned char>(text.front()) | kCase; };
    return a.empty() || (first(a) == first(b) && iequals_same_size(a, b));
}
// Without spaces and tabs at either end.
std::string_view trim(std::string_view text);
// Whether the comma-separated list `list` has the element `token` (RFC 9110 section 5.6.1), whatever its
// case.
bool list_has(std::string_view list, std::string_view token);

struct Field {
    std::string name;
    std::string value;
};

// Fields in the order in which they came; names compare without case.
class Headers {
  public:
    // The first field of that name.
    std::optional<std::string_view> get(std::string_view name) const;
    // Replaces every field of that name by one.
    void set(std::string_view name, std::string_view value);
    void add(std::string_view name, std::string_view value);
    void remove(std::string_view name);

    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }
    std::size_t size() const { return fields_.size(); }

  private:
    std::vector<Field> fields_;
};

struct Request {
    std::string id;  // of the request, for logs and refusals
    std::string method;
    std::string target;  // origin form, as received
    Headers headers;
    std::string body;
    // Instead of `body` where the endpoint asked for that: the body as it comes in. Read on the control
    // executor. Throws Error{kInvalid, "body_incomplete"} when the client breaks off.
    std::shared_ptr<base::ByteSource> body_stream;
    std::string
        peer;  // the client's address in text form; of a trusted proxy's client where one stands before us
    bool secure = false;  // whether the client came by https

    std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
    std::string_view query() const {
        auto mark = target.find('?');
        return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
    }
};

// Ids as texts; what is empty is not so.
struct Caller {
    std::string user;
    std::string session;
    std::string api_token;
    std::optional<base::Time> ends_at = {};  // of the API token, where it has an end
};

struct Response {
    int status = 200;
    Headers headers;
    std::string body;
    // Instead of it: what lives as long as the program, and is not copied for each who asks.
    std::string_view fixed_body;
    // When set, the body comes piece by piece instead: called, on the control executor, until it gives
    // nothing. Dropped without a further call when the client has gone; a call that waits is cancelled then.
    std::function<Task<std::optional<std::string>>()> next_piece;
    // Only with 101 and next_piece: what the client says after that, piece by piece. Called on the control
    // executor; the next piece is read once it has returned. False: nothing more is. Whatever the two are,
    // the client hears a WebSocket's close frame from the data plane when its permission or the server ends.
    std::function<Task<bool>(std::string)> take_piece;
    // How many bytes that is, where it is known before: the client then knows, too.
    std::optional<std::uint64_t> length;
    // Who asked: for the access log, and so that a body that still comes ends with their permission. Never
    // sent.
    Caller caller;
};

// "Not Found" for 404; empty for a status that has no name here.
std::string_view reason_phrase(int status);

}  // namespace agentdb9::http
