import ConfigSchema
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing
import Transport

@testable import Processors

@Suite(.timeLimit(.minutes(2))) struct CloudDetectorTests {
  static let identity = #"""
    {"accountId": "123456789012", "architecture": "x86_64", "availabilityZone": "eu-west-1b", "imageId": "ami-5fb8c835",
     "instanceId": "i-1234567890abcdef0", "instanceType": "t2.micro", "region": "eu-west-1", "kernelId": null}
    """#
  static let ec2 = [
    "/latest/dynamic/instance-identity/document": identity,
    "/latest/meta-data/hostname": "ip-10-0-0-1.internal",
    "/latest/meta-data/tags/instance/": "Name\nteam/a\nsecret",
    "/latest/meta-data/tags/instance/Name": "shop-1",
    "/latest/meta-data/tags/instance/team/a": "checkout",
  ]
  static let ec2Attributes: Attributes = [
    "cloud.provider": "aws", "cloud.platform": "aws_ec2", "cloud.region": "eu-west-1",
    "cloud.account.id": "123456789012", "cloud.availability_zone": "eu-west-1b",
    "host.id": "i-1234567890abcdef0",
    "host.image.id": "ami-5fb8c835", "host.type": "t2.micro", "host.name": "ip-10-0-0-1.internal",
  ]

  @Test func `EC2 is asked with a token, and for the tags that are wanted`() async throws {
    let service = MetadataService(Self.ec2) { request in
      if request.path == "/latest/api/token" {
        let isRight =
          request.method == "PUT" && request.header("x-aws-ec2-metadata-token-ttl-seconds") == "300"
        return isRight ? .text(200, "TOKEN") : .text(400, "")
      }
      return request.header("x-aws-ec2-metadata-token") == "TOKEN" ? nil : .text(401, "")
    }
    try await service.serve { address in
      let found = try await ResourceDetectionProcessor.detected(
        "{detectors: [ec2], ec2: {tags_from_imds: true, tags: [^Name$, ^team]}}",
        environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://\(address)/"])
      var expected = Self.ec2Attributes
      expected.append("ec2.tag.Name", "shop-1")
      expected.append("ec2.tag.team/a", "checkout")
      #expect(found == expected)
    }
  }

  @Test func `an older EC2 service gives out no token and is asked without`() async throws {
    let service = MetadataService(Self.ec2)
    try await service.serve { address in
      let environment = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://\(address)"]
      let found1 = try await ResourceDetectionProcessor.detected(
        "{detectors: [ec2]}", environment: environment)
      #expect(found1 == Self.ec2Attributes)
      let few = try await ResourceDetectionProcessor.detected(
        """
        {detectors: [ec2], ec2: {resource_attributes: {host.name: {enabled: false}, host.id: {enabled: false},
          cloud.provider: {enabled: false}, cloud.account.id: {enabled: false}, host.image.id: {enabled: false},
          cloud.availability_zone: {enabled: false}}}}
        """, environment: environment)
      #expect(few == ["cloud.platform": "aws_ec2", "cloud.region": "eu-west-1", "host.type": "t2.micro"])
      let requests = service.requests
      #expect(requests.filter { $0 == "GET /latest/meta-data/hostname" }.count == 1)
      var disabled = environment
      disabled["AWS_EC2_METADATA_DISABLED"] = "true"
      let found2 = try await ResourceDetectionProcessor.detected("{detectors: [ec2]}", environment: disabled)
      #expect(found2 == [])
      #expect(service.requests == requests)
    }
  }

  @Test(arguments: ["ec2", "gcp", "azure", "docker"])
  func `a service that is not there is no failure unless it must be there`(name: String) async throws {
    let port = DeafPort()
    let address = "127.0.0.1:\(port.number)"
    let environment = [
      "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://\(address)", "GCE_METADATA_HOST": address,
      "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://\(address)", "DOCKER_HOST": "tcp://\(address)",
    ]
    #expect(
      try await ResourceDetectionProcessor.detected(
        "{detectors: [\(name)], timeout: 0s}", environment: environment)
        == [])
    await #expect(throws: StartError.self) {
      _ = try await ResourceDetectionProcessor.detected(
        "{detectors: [\(name)], timeout: 0s, fail_on_missing_metadata: true}", environment: environment)
    }
  }

  @Test(arguments: ["ec2", "gcp", "azure", "docker"])
  func `a service that answers with nonsense is a failure that names it`(name: String) async throws {
    let service = MetadataService { request in
      var answer = HTTPAnswer.text(request.path.hasSuffix("zone") ? 500 : 200, "<html>")
      answer.headers = [("Metadata-Flavor", "Google")]
      return answer
    }
    try await service.serve { address in
      let environment = [
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://\(address)", "GCE_METADATA_HOST": address,
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://\(address)", "DOCKER_HOST": "tcp://\(address)",
      ]
      let error = await #expect(throws: StartError.self) {
        _ = try await ResourceDetectionProcessor.detected(
          "{detectors: [\(name)], timeout: 0s}", environment: environment)
      }
      let text = error.map { "\($0)" } ?? ""
      #expect(text.contains("\(name): "))
    }
  }

  static let gcp = [
    "/": "computeMetadata/\n", "/computeMetadata/v1/project/project-id": "shop-17",
    "/computeMetadata/v1/instance/zone": "projects/17/zones/europe-west1-b",
    "/computeMetadata/v1/instance/region": "projects/17/regions/europe-west1",
    "/computeMetadata/v1/instance/machine-type": "projects/17/machineTypes/e2-small",
    "/computeMetadata/v1/instance/id": "4711", "/computeMetadata/v1/instance/name": "vm-1",
    "/computeMetadata/v1/instance/hostname": "vm-1.internal",
    "/computeMetadata/v1/instance/attributes/cluster-name": "main",
    "/computeMetadata/v1/instance/attributes/cluster-location": "europe-west1",
  ]

  @Test(
    arguments: [
      (
        [:], "gcp: {resource_attributes: {gcp.gce.instance.hostname: {enabled: true}}}",
        [
          "cloud.platform": "gcp_compute_engine", "cloud.availability_zone": "europe-west1-b",
          "cloud.region": "europe-west1", "host.type": "projects/17/machineTypes/e2-small", "host.id": "4711",
          "host.name": "vm-1", "gcp.gce.instance.hostname": "vm-1.internal",
        ]
      ),
      (
        ["KUBERNETES_SERVICE_HOST": "10.0.0.1"], "",
        [
          "cloud.platform": "gcp_kubernetes_engine", "cloud.region": "europe-west1",
          "k8s.cluster.name": "main",
          "host.id": "4711", "host.name": "vm-1",
        ]
      ),
      (
        ["K_CONFIGURATION": "cart", "K_SERVICE": "cart", "K_REVISION": "cart-7"], "",
        [
          "cloud.platform": "gcp_cloud_run", "cloud.region": "europe-west1", "faas.instance": "4711",
          "faas.name": "cart", "faas.version": "cart-7",
        ]
      ),
      (
        ["CLOUD_RUN_JOB": "bill", "CLOUD_RUN_EXECUTION": "bill-x", "CLOUD_RUN_TASK_INDEX": "0"], "",
        [
          "cloud.platform": "gcp_cloud_run", "cloud.region": "europe-west1", "faas.instance": "4711",
          "faas.name": "bill", "gcp.cloud_run.job.execution": "bill-x", "gcp.cloud_run.job.task_index": "0",
        ]
      ),
      (
        ["GAE_SERVICE": "shop", "GAE_VERSION": "3", "GAE_INSTANCE": "i"], "",
        [
          "cloud.platform": "gcp_app_engine", "cloud.availability_zone": "europe-west1-b",
          "cloud.region": "europe-west1", "faas.instance": "i", "faas.name": "shop", "faas.version": "3",
        ]
      ),
    ] as [([String: String], String, Attributes)])
  func `Google's metadata server and the environment tell the platform`(
    variables: [String: String], settings: String, expected: Attributes
  ) async throws {
    let service = MetadataService(Self.gcp, headers: [("Metadata-Flavor", "Google")]) { request in
      request.header("metadata-flavor") == "Google" ? nil : .text(403, "")
    }
    try await service.serve { address in
      let found = try await ResourceDetectionProcessor.detected(
        "{detectors: [gcp], \(settings)}",
        environment: variables.merging(["GCE_METADATA_HOST": address]) { first, _ in first })
      let head: Attributes = ["cloud.provider": "gcp", "cloud.account.id": "shop-17"]
      #expect(found == Attributes(head.entries + expected.entries))
    }
  }

  @Test func `Azure's metadata service describes the machine`() async throws {
    let compute = #"""
      {"location": "westeurope", "name": "vm-1", "vmId": "02aab8a4", "vmSize": "Standard_B1s", "zone": "2",
       "subscriptionId": "8d10da13", "resourceGroupName": "shop", "vmScaleSetName": "", "osProfile":
       {"computerName": "shop-1"}, "tagsList": [{"name": "team", "value": "a"}, {"name": "x", "value": "b"}]}
      """#
    let service = MetadataService(["/metadata/instance/compute": compute]) { request in
      request.header("metadata") == "True" && (request.query ?? "").contains("api-version=")
        ? nil : .text(400, "")
    }
    try await service.serve { address in
      let found = try await ResourceDetectionProcessor.detected(
        "{detectors: [azure], azure: {tags: [^team$]}}",
        environment: ["AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://\(address)"])
      #expect(
        found == [
          "cloud.provider": "azure", "cloud.platform": "azure_vm", "cloud.account.id": "8d10da13",
          "cloud.region": "westeurope", "cloud.availability_zone": "2", "host.id": "02aab8a4",
          "host.name": "shop-1", "azure.vm.name": "vm-1", "azure.vm.size": "Standard_B1s",
          "azure.resourcegroup.name": "shop", "azure.tag.team": "a",
        ])
    }
  }

  @Test func `Docker's engine tells its host and the container`() async throws {
    let service = MetadataService([
      "/info": #"{"Name": "node-3", "OSType": "linux"}"#,
      "/containers/0a1b/json":
        #"{"Name": "/shop", "Image": "sha256:ff", "Config": {"Image": "r.io:5000/a/shop:1.2@sha256:0"}}"#,
      "/images/sha256:ff/json": #"{"RepoTags": ["r.io:5000/a/shop:1.2", "shop:latest"]}"#,
    ])
    let path = "/tmp/millrace-docker-\(UInt32.random(in: 0...UInt32.max)).sock"
    let all = ["container.name", "container.image.name", "container.image.id", "container.image.tags"]
      .map { "\($0): {enabled: true}" }.joined(separator: ", ")
    try await service.serve(unix: path) { _ in
      let environment = ["DOCKER_HOST": "unix://\(path)", "HOSTNAME": "0a1b"]
      let found3 = try await ResourceDetectionProcessor.detected(
        "{detectors: [docker]}", environment: environment)
      #expect(found3 == ["host.name": "node-3", "os.type": "linux"])
      let found4 = try await ResourceDetectionProcessor.detected(
        "{detectors: [docker], docker: {resource_attributes: {\(all)}}}", environment: environment)
      #expect(
        found4 == [
          "host.name": "node-3", "os.type": "linux", "container.name": "shop",
          "container.image.name": "r.io:5000/a/shop", "container.image.id": "sha256:ff",
          "container.image.tags": .array(["1.2", "latest"]),
        ])
    }
  }
}
