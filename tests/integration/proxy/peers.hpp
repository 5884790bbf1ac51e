// The two ends of a proxied connection, scripted: blocking sockets on threads of their own. Every read gives
// up after a while, so that a test fails instead of hanging.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace agentdb9::test {

// Passed once; waits give up after a while.
class Gate {
  public:
    void open();
    // False when it was not opened in time.
    bool wait();
    bool is_open();

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

// Waits until `predicate` holds; false when it did not for ten seconds.
bool eventually(const std::function<bool()>& predicate);

class Connection {
  public:
    explicit Connection(int fd);
    Connection(Connection&& other) noexcept;
    Connection& operator=(Connection&& other) noexcept;
    ~Connection();

    // From an address of the loopback network; empty: the usual one.
    static Connection to(std::uint16_t port, const std::string& from = {});
    static Connection to_unix(const std::string& path);

    bool send(std::string_view bytes);
    // Up to and with `end`; what was read when the other side closed or nothing came for too long.
    std::string read_until(std::string_view end);
    std::string read_exactly(std::size_t size);
    std::string read_to_end();
    // At least one byte; empty at the end.
    std::string read_some();
    // Nothing came and nothing closed for `wait`.
    bool is_silent_for(std::chrono::milliseconds wait);
    // The other side closed, or resets, within the time limit.
    bool closes();
    void shutdown_send();
    void close();
    // RST instead of FIN.
    void reset();
    void set_receive_buffer(int bytes);
    int fd() const { return fd_; }

  private:
    bool fill();
    int fd_ = -1;
    std::string buffer_;
};

struct Message {
    std::string head;
    std::string body;
    int status() const;
    // The value of the first such field, or "(none)".
    std::string field(std::string_view name) const;
    std::size_t count(std::string_view name) const;
};

// Reads a response (or, with `request`, a request) with Content-Length, chunked (kept as sent) or until the
// end.
Message read_message(Connection& from, bool head_only = false, bool request = false);

// Listens on a free port; each connection is served by `serve` on a thread of its own.
class Upstream {
  public:
    using Serve = std::function<void(Connection&)>;
    explicit Upstream(Serve serve);
    ~Upstream();
    // How later connections are served, until what is returned dies: then they are cut and their threads have
    // ended, so that `serve` may refer to what was declared before it.
    class Served {
      public:
        explicit Served(Upstream& upstream) : upstream_(&upstream) {}
        Served(Served&& other) noexcept : upstream_(std::exchange(other.upstream_, nullptr)) {}
        Served& operator=(Served&&) = delete;
        ~Served() {
            if (upstream_) upstream_->cut();
        }

      private:
        Upstream* upstream_;
    };
    [[nodiscard]] Served serve(Serve serve);

    std::uint16_t port() const { return port_; }
    int accepted() const { return accepted_; }
    int open() const { return open_; }
    // Stops listening; later connections are refused.
    void close_listener();

  private:
    void accept_loop();
    // Ends every connection and waits for its thread.
    void cut();
    Serve serve_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_ = 0;
    std::atomic<int> open_ = 0;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    std::list<std::thread> threads_;
    std::vector<int> fds_;
    std::thread acceptor_;
};

// Serves requests on one connection one after the other: each is answered by what `answer` makes of it.
Upstream::Serve answering(std::function<std::string(const Message&)> answer);
std::string ok(std::string_view body, std::string_view fields = {});

}  // namespace agentdb9::test
