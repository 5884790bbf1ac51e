#include "runtime/docker/nftables.hpp"

#include <nftables/libnftables.h>

#include <memory>

namespace agentdb9::runtime::docker {

namespace {

std::string text_of(const char* buffer) {
    std::string text = buffer == nullptr ? "" : buffer;
    while (text.ends_with('\n'))
        text.pop_back();
    return text;
}

}  // namespace

std::expected<std::string, std::string> run_nft(const std::string& commands) {
    const std::unique_ptr<nft_ctx, void (*)(nft_ctx*)> context(::nft_ctx_new(NFT_CTX_DEFAULT),
                                                               ::nft_ctx_free);
    if (!context || ::nft_ctx_buffer_output(context.get()) != 0 || ::nft_ctx_buffer_error(context.get()) != 0)
        return std::unexpected("no memory for it");
    const int failed = ::nft_run_cmd_from_buffer(context.get(), commands.c_str());
    if (failed == 0) return text_of(::nft_ctx_get_output_buffer(context.get()));
    // The first line says what; the others show where.
    auto why = text_of(::nft_ctx_get_error_buffer(context.get()));
    why = why.substr(0, why.find('\n'));
    return std::unexpected(why.empty() ? "it does not say why" : why);
}

}  // namespace agentdb9::runtime::docker
