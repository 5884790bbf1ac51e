// A data plane on free ports with a control plane of fakes behind it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <deque>
#include <map>
#include <memory>
#include <thread>

#include "peers.hpp"
#include "proxy/data_plane.hpp"

namespace agentdb9::test {

class Plane {
  public:
    explicit Plane(proxy::Options options = {});
    ~Plane();

    // A workspace of `owner` at the upstream; published at once.
    model::Route& add(std::uint16_t upstream_port, const base::UserId& owner);
    void publish();
    template <class T>
    T on_control(Task<T> task) {
        return asio::co_spawn(control_, std::move(task), asio::use_future).get();
    }
    void on_control(std::function<void()> work);

    void revoke(auth::Revocation revocation);

    std::string get(const std::string& path, const std::string& fields = {}) const;
    // Where a workspace's application is: on the API's origin, and on the applications'.
    static std::string proxy(const model::Route& route, const std::string& rest);
    static std::string app(const model::Route& route, const std::string& rest, int port = 8080);
    // The Cookie field that opens it.
    static std::string cookie(const model::Route& route, int port = 8080);
    // The value of the one that opens it to `other`.
    static std::string others_cookie(const model::Route& route, int port = 8080);
    // Where each application has a host name.
    static std::string host(const model::Route& route, int port = 8080);
    static std::string get_at(const std::string& host, const std::string& path,
                              const std::string& fields = {}, const std::string& method = "GET");
    // Shares a port; in force when it returns. And back.
    model::Sharing share(const model::Route& route, model::ShareLevel level, const std::string& link = {},
                         std::optional<base::Time> ends_at = {}, int port = 8080);
    void share_nothing();
    proxy::Metrics metrics() const { return plane->metrics(); }
    Connection api() { return Connection::to(plane->api_port()); }
    Connection apps() { return Connection::to(plane->applications_port()); }

    base::UserId user = base::UserId::generate();
    base::UserId other = base::UserId::generate();
    base::SessionId session = base::SessionId::generate();
    base::Time expires_at;
    std::optional<base::Time> token_ends_at;
    model::TokenScope token_scope;  // set before the first request
    // What the fakes saw and say. The control thread's, but for the atomics.
    std::atomic<int> authentications = 0;
    std::atomic<bool> authentication_fails = false;
    std::atomic<int> wakes = 0;
    std::atomic<int> insisted = 0;  // among these
    std::atomic<int> looks = 0;
    model::Awakening awakening{.workspace = "desk", .percent = {}, .note = {}, .code = {}};
    std::optional<http::Problem> wake_refused;
    std::function<Task<http::Response>(http::Request)> api_handler;
    std::function<Task<>()> before_authentication;
    // On the workers' threads; set before the first request.
    std::function<bool(std::string_view method, std::string_view path)> streams_body;
    std::function<bool(std::string_view method, std::string_view path)> ends_with_client;
    std::deque<model::Route> routes;  // references to them stay good
    std::map<std::pair<base::UserId, std::string>, base::WorkspaceId> defaults;
    std::shared_ptr<const model::Sharings> sharings;
    std::uint64_t version = 0;
    std::unique_ptr<proxy::DataPlane> plane;

  private:
    Task<proxy::Answer<auth::Principal>> authenticate(auth::Credential credential);
    asio::io_context control_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

inline const std::string kAppsDomain = "apps.test";
inline const std::string kBearer = "Authorization: Bearer good\r\n";
// As good, with the form of an access token.
inline const std::string kSignedToken = "head.claims." + std::string(43, 'm');

// Sends a request and reads its answer.
Message ask(Connection& client, const std::string& request, bool head_only = false);

// Open descriptors of this process.
std::size_t descriptors();

}  // namespace agentdb9::test
