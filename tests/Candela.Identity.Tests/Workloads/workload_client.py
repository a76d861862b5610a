"""A client of the SPIFFE Workload API on gRPC's C core. Prints one JSON document a message.

usage: workload_client.py SOCKET DESCRIPTOR METHOD COUNT HEADER [JSON-REQUEST]
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, struct_pb2
try:
    from google.protobuf.message_factory import GetMessageClass
except ImportError:
    from google.protobuf.message_factory import MessageFactory
    GetMessageClass = MessageFactory().GetPrototype

socket, descriptor, method, count, header, *request = sys.argv[1:]
pool = descriptor_pool.DescriptorPool()
pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
with open(descriptor, "rb") as file:
    pool.AddSerializedFile(file.read())
name = method.removeprefix("Fetch")
streams = method in ("FetchX509SVID", "FetchX509Bundles", "FetchJWTBundles")
Request = GetMessageClass(pool.FindMessageTypeByName(name + "Request"))
Response = GetMessageClass(pool.FindMessageTypeByName(name + "Response"))
message = json_format.Parse(request[0] if request else "{}", Request())
metadata = [("workload.spiffe.io", header)] if header else []


def show(response):
    print(json.dumps(json_format.MessageToDict(response, preserving_proto_field_name=True)), flush=True)


with grpc.insecure_channel("unix:" + socket) as channel:
    kind = channel.unary_stream if streams else channel.unary_unary
    call = kind("/SpiffeWorkloadAPI/" + method, request_serializer=Request.SerializeToString, response_deserializer=Response.FromString)
    try:
        if streams:
            for index, response in enumerate(call(message, metadata=metadata, timeout=60), start=1):
                show(response)
                if index == int(count):
                    break
        else:
            show(call(message, metadata=metadata, timeout=60))
    except grpc.RpcError as error:
        print(json.dumps({"status": error.code().name, "message": error.details()}), flush=True)
