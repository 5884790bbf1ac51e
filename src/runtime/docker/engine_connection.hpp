// What an EngineClient holds of one connection. For its own source files.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "runtime/docker/engine_client.hpp"

namespace agentdb9::runtime::docker {

struct EngineClient::Connection {
    explicit Connection(const asio::any_io_executor& executor) : socket(executor) {}
    asio::generic::stream_protocol::socket socket;
    boost::beast::flat_buffer buffer;
    bool reused = false;
    bool keep = false;  // may be used again
};

struct EngineClient::Streaming {
    ConnectionPtr connection;
    boost::beast::http::response_parser<boost::beast::http::buffer_body> parser;
};

}  // namespace agentdb9::runtime::docker
