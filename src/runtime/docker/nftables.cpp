#include "runtime/docker/nftables.hpp"

#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>

#include "base/descriptor.hpp"

namespace agentdb9::runtime::docker {

namespace {

using Context = std::unique_ptr<nft_ctx, void (*)(nft_ctx*)>;

std::string text_of(const char* buffer) {
    std::string text = buffer == nullptr ? "" : buffer;
    while (text.ends_with('\n'))
        text.pop_back();
    return text;
}

// Why libnftables must not open its socket now; empty where it may. It waits for the kernel by select(2):
// where the socket has a descriptor that select() cannot take, that ends the process (FORTIFY) or writes
// beyond the set: a server with a thousand connections. Where there can be no such socket, it ends the
// process, too.
std::string reason_not_to_open() {
    const base::Descriptor tried(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!tried) return std::strerror(errno);
    // The lowest that was free; others may open some meanwhile.
    if (tried.get() >= FD_SETSIZE - 64)
        return "it was first asked for with too many connections open; restart the server";
    return {};
}

std::mutex mutex;

// One for the process: its socket is opened before there are many. Under the mutex.
std::expected<nft_ctx*, std::string> shared_context() {
    static Context context(nullptr, ::nft_ctx_free);
    if (context) return context.get();
    if (auto why = reason_not_to_open(); !why.empty()) return std::unexpected(std::move(why));
    context.reset(::nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context) return std::unexpected("no memory for it");
    return context.get();
}

}  // namespace

void open_nft() {
    const std::lock_guard lock(mutex);
    static_cast<void>(shared_context());  // run_nft() says what is wrong
}

std::expected<std::string, std::string> run_nft(const std::string& commands) {
    const std::lock_guard lock(mutex);
    const auto shared = shared_context();
    if (!shared) return std::unexpected(shared.error());
    auto* context = *shared;
    // Each begins the text anew.
    if (::nft_ctx_buffer_output(context) != 0 || ::nft_ctx_buffer_error(context) != 0)
        return std::unexpected("no memory for it");
    const int failed = ::nft_run_cmd_from_buffer(context, commands.c_str());
    if (failed == 0) return text_of(::nft_ctx_get_output_buffer(context));
    // The first line says what; the others show where.
    auto why = text_of(::nft_ctx_get_error_buffer(context));
    why = why.substr(0, why.find('\n'));
    return std::unexpected(why.empty() ? "it does not say why" : why);
}

}  // namespace agentdb9::runtime::docker
