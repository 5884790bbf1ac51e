#include "runtime/docker/nftables.hpp"

#include <fcntl.h>
#include <nftables/libnftables.h>
#include <sys/select.h>
#include <unistd.h>

#include <memory>
#include <mutex>

namespace agentdb9::runtime::docker {

namespace {

using Context = std::unique_ptr<nft_ctx, void (*)(nft_ctx*)>;

std::string text_of(const char* buffer) {
    std::string text = buffer == nullptr ? "" : buffer;
    while (text.ends_with('\n'))
        text.pop_back();
    return text;
}

// libnftables waits for the kernel by select(2). Where its socket has a descriptor that select() cannot take,
// that ends the process (FORTIFY) or writes beyond the set: a server with a thousand connections. The next
// descriptor is the lowest that is free.
bool next_descriptor_is_low() {
    const int next = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (next >= 0) ::close(next);
    // Others may open some meanwhile.
    return next >= 0 && next < FD_SETSIZE - 64;
}

std::mutex mutex;

// One for the process: its socket is opened before there are many. Under the mutex.
Context& shared_context() {
    static Context context(nullptr, ::nft_ctx_free);
    if (!context && next_descriptor_is_low()) context.reset(::nft_ctx_new(NFT_CTX_DEFAULT));
    return context;
}

}  // namespace

void open_nft() {
    const std::lock_guard lock(mutex);
    shared_context();
}

std::expected<std::string, std::string> run_nft(const std::string& commands) {
    const std::lock_guard lock(mutex);
    auto* context = shared_context().get();
    if (context == nullptr)
        return std::unexpected("it was first asked for with too many connections open; restart the server");
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
