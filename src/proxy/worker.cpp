#include "proxy/worker.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <csignal>

#include "base/crypto.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"
#include "proxy/session.hpp"
#include "proxy/tunnel.hpp"

namespace agentdb9::proxy {
namespace {

constexpr std::size_t kIdPrefixBytes = 9;
// After accept() failed for want of descriptors or memory.
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::size_t kTurnedAwayAtOnce = 64;
constexpr int kAcceptedInARow = 64;

}  // namespace

Worker::Worker(std::shared_ptr<const Options> options, std::shared_ptr<const TrustedProxies> trusted,
               std::shared_ptr<const ControlPlane> control, Shared& shared, AccessLane* access)
    : options_(std::move(options)),
      trusted_(std::move(trusted)),
      control_(std::move(control)),
      shared_(shared),
      access_(access),
      io_(std::make_shared<asio::io_context>(1)),
      work_(asio::make_work_guard(*io_)),
      loop_(*io_),
      api_tls_(options_->api_tls),
      applications_tls_(options_->applications_tls),
      pool_(loop_, options_->limits, options_->look_up),
      tokens_(options_->limits.tokens_per_worker),
      questions_(io_, control_->executor, control_),
      gateway_(*this),
      id_prefix_(base::random_token(kIdPrefixBytes)),
      scope_(io_->get_executor()),
      closing_(io_->get_executor()) {}

Worker::~Worker() {
    join();
}

std::expected<std::uint16_t, std::string> Worker::listen(Origin origin, const ListenAddress& at, bool probe) {
    auto listener = http::Listener::tcp(*io_, at.address, at.port, probe);
    if (!listener) return std::unexpected(listener.error());
    auto port = (*listener)->port();
    listeners_.emplace_back(origin, std::move(*listener));
    return port;
}

std::expected<void, std::string> Worker::listen_operator(const std::string& path) {
    auto listener = http::Listener::unix_socket(*io_, path);
    if (!listener) return std::unexpected(listener.error());
    listeners_.emplace_back(Origin::kOperator, std::move(*listener));
    return {};
}

void Worker::start() {
    asio::post(*io_, [this] {
        loop_.start([this] { on_tick(); });
        for (auto& [origin, listener] : listeners_)
            scope_.spawn("accept", accept(*listener, origin));
    });
    thread_ = std::thread([this] {
        // splice(2) has no flag that spares us it: a client that goes is an error like others.
        sigset_t broken_pipe;
        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        io_->run();
        ended_ = true;
    });
}

void Worker::on_tick() {
    pool_.sweep();
    std::erase_if(tunnels_, [now = loop_.now()](const auto& entry) { return !entry.second->on_tick(now); });
    constexpr unsigned kSweepGateway = 600;
    constexpr unsigned kSecond = 10;
    if (++ticks_ % kSweepGateway == 0) gateway_.sweep();
    if (ticks_ % kSecond == 0)
        for_each_ongoing([now = loop_.now()](Ongoing& ongoing) { ongoing.on_time(now); });
}

Task<> Worker::accept(http::Listener& listener, Origin origin) {
    co_await asio::this_coro::throw_if_cancelled(false);
    int accepted = 0;
    while (true) {
        auto stream = co_await listener.accept(loop_);
        if (stream) {
            admit(std::move(*stream), origin);
            if (++accepted % kAcceptedInARow == 0) co_await loop_.give_way();
            continue;
        }
        if (stream.error() == http::IoError::kCancelled || stopping_) co_return;
        asio::steady_timer pause(*io_, kAcceptPause);
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void Worker::admit(std::unique_ptr<http::Stream> stream, Origin origin) {
    if (stopping_) return;
    ConnectionCounts::Share share;
    if (origin != Origin::kOperator) {
        if (connections_ >= limits().connections_per_worker)
            return refuse(std::move(stream), origin, LimitHit::kServerConnections);
        auto peer = stream->peer_address();
        auto key = connection_key(peer);
        // Those of a trusted proxy are nobody's: one carries requests of many.
        if (key && !trusted_->trusts(peer)) {
            auto taken = shared_.by_address.take(*key, limits().connections_per_address);
            if (!taken) return refuse(std::move(stream), origin, LimitHit::kAddressConnections);
            share = std::move(*taken);
        }
    }
    ++connections_;
    ++metrics_.connections_accepted;
    ++metrics_.connections_open;
    scope_.spawn("connection",
                 Session::run(std::make_shared<Session>(*this, std::move(stream), origin, std::move(share))));
}

const http::TlsContextPtr& Worker::tls(Origin origin) const {
    static const http::TlsContextPtr kPlain;
    if (origin == Origin::kOperator) return kPlain;
    return origin == Origin::kApi ? api_tls_ : applications_tls_;
}

void Worker::refuse(std::unique_ptr<http::Stream> stream, Origin origin, LimitHit limit) {
    ++metrics_.connections_refused;
    metrics_.hit(limit);
    metrics_.refused(kTooManyConnections);
    // Told why, while those who are told are few; beyond that the connection just ends.
    if (turned_away_ < kTurnedAwayAtOnce)
        scope_.spawn("refused connection", turn_away(std::move(stream), tls(origin), limit));
}

Task<> Worker::turn_away(std::unique_ptr<http::Stream> stream, http::TlsContextPtr tls, LimitHit limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    ++turned_away_;
    if (tls && !co_await stream->start_tls(std::move(tls), loop_.after(limits().linger))) {
        --turned_away_;
        co_return;
    }
    auto id = make_request_id();
    auto refused = too_many_connections(limit);
    auto body = http::problem_json(refused.problem, {id, "", "", wall_clock()});
    auto status = std::to_string(refused.problem.status) + " ";
    auto head = "HTTP/1.1 " + status.append(http::reason_phrase(refused.problem.status)) +
                "\r\nContent-Type: application/json; charset=utf-8\r\nRetry-After: " +
                std::to_string(refused.retry_after_seconds.value_or(1)) +
                "\r\nCache-Control: no-store\r\nConnection: close\r\nX-Request-Id: " + id +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    auto sent = co_await stream->send(head + body);
    stream->shutdown_send();
    // Its request is read, so that the answer is not lost in a reset.
    http::Reader reader(*stream);
    auto deadline = loop_.after(limits().linger);
    while (sent && co_await reader.fill(deadline))
        reader.consume(reader.data().size());
    --turned_away_;
}

void Worker::keep(std::shared_ptr<Tunnel> tunnel) {
    auto& kept = *tunnel;
    tunnels_.emplace(&kept, std::move(tunnel));
    kept.start();
}

void Worker::end(const Tunnel& tunnel) {
    tunnels_.erase(&tunnel);
}

void Worker::session_ended() {
    --connections_;
    --metrics_.connections_open;
}

void Worker::publish(std::shared_ptr<const model::RouteTable> table) {
    asio::post(*io_, [this, table = std::move(table)]() mutable {
        if (routes_ && table->version < routes_->version) return;
        routes_ = std::move(table);
        pool_.retain(*routes_);
        for_each_ongoing([this](Ongoing& ongoing) { ongoing.on_routes(*routes_); });
        for (auto* holder : holders_)
            holder->cancel();
    });
}

void Worker::renew_tls(http::TlsContextPtr api, http::TlsContextPtr applications) {
    asio::post(*io_, [this, api = std::move(api), applications = std::move(applications)]() mutable {
        if (api_tls_ && api) api_tls_ = std::move(api);
        if (applications_tls_ && applications) applications_tls_ = std::move(applications);
    });
}

void Worker::revoke(auth::Revocation revocation) {
    asio::post(*io_, [this, revocation = std::move(revocation)] {
        tokens_.revoke(revocation);
        for_each_ongoing([&](Ongoing& ongoing) { ongoing.on_revocation(revocation); });
    });
}

void Worker::drain() {
    asio::post(*io_, [this] { begin_drain(); });
}

void Worker::begin_drain() {
    if (std::exchange(draining_, true)) return;
    for (auto& [origin, listener] : listeners_)
        listener->close();
    for_each_ongoing([](Ongoing& ongoing) { ongoing.on_drain(); });
    for (auto* holder : holders_)
        holder->cancel();
}

void Worker::stop() {
    asio::post(*io_, [this] {
        if (std::exchange(stopping_, true)) return;
        begin_drain();
        closing_->spawn("stop", shut_down());
    });
}

Task<> Worker::shut_down() {
    tunnels_.clear();
    loop_.close_all();
    questions_.give_up();
    // Sessions end by their closed streams; cancellation reaches what waits on a timer or a name.
    co_await scope_.close();
    pool_.clear();
    loop_.stop();
    work_.reset();
}

void Worker::join() {
    if (thread_.joinable()) thread_.join();
}

void Worker::after_posted(std::function<void()> done) {
    asio::post(*io_, std::move(done));
}

Task<> Worker::next_routes(base::SteadyTime deadline) {
    if (stopping_) co_return;
    asio::steady_timer timer(*io_, deadline);
    auto place = holders_.insert(holders_.end(), &timer);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    holders_.erase(place);
}

template <class Visit>
void Worker::for_each_ongoing(Visit visit) {
    // None of the visits destroys anything: they close streams and wake coroutines.
    for (Ongoing& ongoing : ongoing_)
        visit(ongoing);
}

std::string Worker::make_request_id() {
    std::array<char, 16> digits{};
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), ++next_id_, 16).ptr;
    std::string id;
    id.reserve(id_prefix_.size() + 1 + digits.size());
    return id.append(id_prefix_).append("-").append(digits.data(), end);
}

base::Time Worker::wall_clock() const {
    return std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
}

}  // namespace agentdb9::proxy
