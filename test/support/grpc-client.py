"""A client of blitd's control plane made with grpcio, which shares no code with ours.

    python grpc-client.py PROTO_FOLDER ADDRESS [--ca FILE] [--cert FILE --key FILE] [--token TOKEN]

Asks everything that test/blit/control/server-clients.test.ts wants to know, and prints it as JSON.
"""

import argparse
import json
import sys

import grpc

parser = argparse.ArgumentParser()
parser.add_argument("protos")
parser.add_argument("address")
parser.add_argument("--ca")
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--token")
options = parser.parse_args()

sys.path.insert(0, options.protos)
messages, services = grpc.protos_and_services("blit.proto")


def read(path):
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


def channel():
    if options.ca is None:
        return grpc.insecure_channel(options.address)
    credentials = grpc.ssl_channel_credentials(
        read(options.ca), read(options.key), read(options.cert)
    )
    return grpc.secure_channel(options.address, credentials)


def failure(error):
    trailers = {key: value for key, value in error.trailing_metadata()}
    details = trailers.get("grpc-status-details-bin")
    parts = details is not None and b"blit.v2.Failure" in details
    return {"code": error.code().name, "details": error.details(), "failure": parts}


def outcome(call):
    try:
        return call()
    except grpc.RpcError as error:
        return failure(error)


def modules(stub, metadata):
    answers = stub.List(messages.ListRequest(), metadata=metadata)
    return [module.name for answer in answers for module in answer.modules]


def entries(stub, metadata):
    request = messages.ListRequest(place=messages.Place(module="m", path=b"\xff/\x80"))
    answers = stub.List(request, metadata=metadata)
    return [entry.path.hex() for answer in answers for entry in answer.entries]


def echo(stub, metadata):
    def requests():
        for index in range(20):
            data = messages.DataChunk(stream=index, data=bytes([index]) * 65536)
            yield messages.ClientPushRequest(data=data)

    answers = stub.Push(requests(), metadata=metadata)
    return sum(len(answer.data.data) for answer in answers)


def deadline(stub, metadata):
    stub.FilesystemStats(messages.FilesystemStatsRequest(), metadata=metadata, timeout=0.2)


with channel() as open_channel:
    stub = services.BlitStub(open_channel)
    metadata = [] if options.token is None else [("authorization", f"Bearer {options.token}")]
    print(
        json.dumps(
            {
                "modules": outcome(lambda: modules(stub, metadata)),
                "entries": outcome(lambda: entries(stub, metadata)),
                "echo": outcome(lambda: echo(stub, metadata)),
                "purge": outcome(lambda: list(stub.Purge(messages.PurgeRequest(), metadata=metadata))),
                "deadline": outcome(lambda: deadline(stub, metadata)),
            }
        )
    )
