#include "proxy/name_resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/log.hpp"

namespace agentdb9::proxy {
namespace {

constexpr std::chrono::seconds kKept{5};

std::optional<asio::ip::address> address_of(const sockaddr& socket_address) {
    if (socket_address.sa_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, &socket_address, sizeof four);
        return asio::ip::address_v4(ntohl(four.sin_addr.s_addr));
    }
    if (socket_address.sa_family != AF_INET6) return std::nullopt;
    sockaddr_in6 six{};
    std::memcpy(&six, &socket_address, sizeof six);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
    return asio::ip::address_v6(bytes, six.sin6_scope_id);
}

}  // namespace

// Between a look-up's thread, which may outlive everything, and the resolver. The lock is taken once a
// look-up; on the way of a request only where a name has to be looked up.
struct NameResolver::Mailbox {
    std::mutex mutex;
    NameResolver* resolver = nullptr;  // null: gone
};

NameResolver::Addresses NameResolver::system_look_up(const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return {};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
    Addresses addresses;
    for (const auto* each = found; each != nullptr; each = each->ai_next)
        if (const auto address = address_of(*each->ai_addr)) addresses.push_back(*address);
    return addresses;
}

NameResolver::NameResolver(asio::io_context& io, LookUp look_up)
    : io_(io), look_up_(std::move(look_up)), mailbox_(std::make_shared<Mailbox>()) {
    mailbox_->resolver = this;
}

NameResolver::~NameResolver() {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->resolver = nullptr;
}

Task<http::IoResult<NameResolver::Addresses>> NameResolver::resolve(std::string name,
                                                                    base::SteadyTime deadline) {
    auto& entry = names_[name];
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return std::unexpected(http::IoError::kClosed);
    if (entry.good_until > std::chrono::steady_clock::now()) co_return entry.addresses;
    if (!entry.asked && !ask(name)) co_return std::unexpected(http::IoError::kReset);
    asio::steady_timer timer(io_, deadline);
    const auto place = entry.waiting.insert(entry.waiting.end(), &timer);
    auto [ended] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    entry.waiting.erase(place);
    if (entry.asked) co_return std::unexpected(ended ? http::IoError::kClosed : http::IoError::kTimeout);
    if (entry.addresses.empty()) co_return std::unexpected(http::IoError::kReset);
    co_return entry.addresses;
}

bool NameResolver::ask(const std::string& name) {
    try {
        std::thread([mailbox = mailbox_, look_up = look_up_, name, &io = io_] {
            auto addresses = look_up(name);
            const std::lock_guard lock(mailbox->mutex);
            // While it is there, so is its loop.
            if (mailbox->resolver == nullptr) return;
            asio::post(io, [mailbox, name, addresses = std::move(addresses)]() mutable {
                if (mailbox->resolver != nullptr) mailbox->resolver->arrived(name, std::move(addresses));
            });
        }).detach();
    } catch (const std::system_error& error) {
        log::warning("a name cannot be looked up", {{"name", name}, {"reason", error.what()}});
        return false;
    }
    names_[name].asked = true;
    return true;
}

void NameResolver::arrived(const std::string& name, Addresses addresses) {
    auto& entry = names_[name];
    entry.asked = false;
    entry.addresses = std::move(addresses);
    // That there is none is looked at again at once.
    if (!entry.addresses.empty()) entry.good_until = std::chrono::steady_clock::now() + kKept;
    for (auto* timer : entry.waiting)
        timer->cancel();
}

void NameResolver::prefer(const std::string& name, const asio::ip::address& address) {
    auto& addresses = names_[name].addresses;
    const auto found = std::ranges::find(addresses, address);
    if (found != addresses.end()) std::rotate(addresses.begin(), found, found + 1);
}

}  // namespace agentdb9::proxy
