// Which handler answers a request. Built once at start, then only read; any thread.
//
// Patterns are written as in the documentation: "/api/workspaces/:id/start". A literal segment wins over a
// parameter. Segments are percent-decoded before they are compared; one trailing slash is tolerated.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.hpp"
#include "base/async.hpp"
#include "http/message.hpp"

namespace agentdb9::api {

enum class Access {
    kPublic,  // anyone; the handler sees no principal
    kUser,    // anyone with a valid access or API token
    kTicket,  // the same, or whoever has a ticket (?ticket=) and no token: the handler looks at that, and
              // sees no principal
    kAdmin,   // those whose role is admin; others are told 403
};

// The call lives until the returned task has ended.
using Handler = std::function<Task<http::Response>(Call&)>;

struct Endpoint {
    std::string method;
    std::string pattern;
    Access access = Access::kUser;
    Handler handler;
    std::vector<std::string> parameter_names;
    bool streams_body = false;  // the request's body comes as body_stream
    bool attended = false;      // it is given up when its client goes
};

class Router {
  public:
    Router();
    ~Router();

    // `method` in capitals. Ends the process when the pair was added before: that is a mistake in the
    // program.
    void add(std::string method, std::string pattern, Access access, Handler handler);

    // The same for one that reads its body as a stream, of any size.
    void add_streaming(std::string method, std::string pattern, Access access, Handler handler);
    bool streams_body(std::string_view method, std::string_view path) const;

    // The same for one whose work is of no use to anybody once its client has gone: it is cancelled then.
    void add_attended(std::string method, std::string pattern, Access access, Handler handler);
    bool is_attended(std::string_view method, std::string_view path) const;

    struct Match {
        enum class Kind {
            kFound,
            kOptions,      // OPTIONS on a known path
            kWrongMethod,  // a known path with another verb
            kNotFound,
            kMalformed,  // a percent sign that starts no encoded byte
        };
        Kind kind = Kind::kNotFound;
        const Endpoint* endpoint = nullptr;  // owned by the router
        Parameters parameters;
        std::string allow;  // for kOptions and kWrongMethod: "GET, HEAD, OPTIONS, POST"
    };
    // `path` without query. HEAD finds what GET does.
    Match match(std::string_view method, std::string_view path) const;

    // Every endpoint, sorted by pattern and method: for the API's description and its tests.
    std::vector<const Endpoint*> endpoints() const;

  private:
    struct Node;
    Endpoint& insert(std::string method, std::string pattern, Access access, Handler handler);
    static const Node* find(const Node& node, const std::vector<std::string>& segments, std::size_t depth,
                            std::vector<std::string>& values);
    std::unique_ptr<Node> root_;
};

}  // namespace agentdb9::api
