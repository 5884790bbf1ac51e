// A container engine's HTTP API on a real unix socket in a directory of its own: a small model of networks,
// containers and volumes, and a script that may answer, or break, any request before or after the model. It
// lives on the test's io_context and clock.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "support/virtual_clock.hpp"

namespace agentdb9::test {

struct FakeRequest {
    std::string method;
    std::string target;  // with the version
    std::string path;    // without it
    json::value body;    // where the text is JSON
    std::string text;
    std::size_t connection = 0;
    std::string call() const { return method + " " + path; }
};

struct FakeReply {
    enum class Then {
        kKeep,    // serves the next request
        kClose,   // closes the connection
        kFinish,  // says that nothing more comes, but leaves the connection open
        kHold     // leaves it open and says nothing more by itself
    };
    std::string bytes;  // as they go over the wire
    Then then = Then::kKeep;
    base::Duration delay{0};       // before the first byte
    base::Duration byte_pause{0};  // between single bytes
};

// With Content-Length; `status` 204 and 304 without a body.
FakeReply reply(int status, const json::value& body = json::object{});
FakeReply refusal(int status, std::string_view message);
FakeReply raw(std::string bytes, FakeReply::Then then = FakeReply::Then::kClose);
// The head of a chunked stream and some chunks, left open.
FakeReply chunked(const std::vector<std::string>& chunks, FakeReply::Then then);
std::string chunk(std::string_view text);

class FakeEngine {
  public:
    FakeEngine(asio::io_context& context, VirtualClock& clock);
    ~FakeEngine();

    std::string host() const { return "unix://" + socket_path(); }
    std::string socket_path() const;

    // What an engine keeps. Containers by id.
    struct Container {
        std::string name;
        json::object labels;
        std::string state = "created";
        std::string network;
        std::string address;         // that it is to have; empty: the engine chooses
        std::string actual_address;  // while it runs
        json::object body;           // as it was created
    };
    std::map<std::string, Container> containers;
    std::map<std::string, json::object> networks;
    std::map<std::string, json::object> volumes;
    std::string api_version = "1.41";
    std::string min_api_version = "1.12";

    // Looked at first; nothing: the model answers. `after`: looked at once the model has done its part.
    using Script = std::function<std::optional<FakeReply>(const FakeRequest&)>;
    Script script;
    Script after;

    std::vector<FakeRequest> requests;
    // "METHOD /path" of those, the version and the query left out.
    std::vector<std::string> calls() const;
    std::size_t accepted() const;
    std::size_t open_connections() const;

    // Says more on a held connection; ends one; ends all, as a restart does.
    void send(std::size_t connection, std::string_view bytes);
    void close(std::size_t connection);
    void close_all();
    // Stops listening (the socket's file stays, as after a crash), and listens again.
    void stop();
    void start(int backlog = 128, bool accepts = true);

  private:
    struct Wire;
    FakeReply model(const FakeRequest& request);
    FakeReply model_containers(const FakeRequest& request, const std::string& rest);
    FakeReply model_networks(const FakeRequest& request, const std::string& rest);
    FakeReply model_volumes(const FakeRequest& request, const std::string& rest);
    FakeReply start_container(Container& container);
    std::string container_id(const std::string& name_or_id) const;
    json::array list_containers(const FakeRequest& request) const;
    FakeReply answer(FakeRequest request);
    std::shared_ptr<Wire> wire_;
    int next_id_ = 0;
};

}  // namespace agentdb9::test
