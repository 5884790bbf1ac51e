// Files as answers: streamed, never shown by a browser, never kept by a cache. What is in them is a user's,
// and might be a page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "services/backup_files.hpp"

namespace agentdb9::api {

// `name`: what the client is to call it; any text. The caller adds `next_piece`.
http::Response download(std::string_view type, std::string_view name, std::uint64_t length);
// A file of the server's own. `files` outlives the response.
http::Response download(std::string_view type, std::string_view name, services::BackupFiles& files,
                        std::shared_ptr<services::BackupFiles::File> file);
// `digest`: of the bytes.
void set_etag(http::Response& response, std::string_view digest);

}  // namespace agentdb9::api
