import Foundation
import Storage
import Testing

@Suite struct StorageDirectoryTests {
  let place: TemporaryDirectory
  let reports = Reports()

  init() throws { place = try TemporaryDirectory() }

  @Test func `one directory belongs to one opener at a time`() async throws {
    var options = reports.options
    options.lockTimeout = .zero
    var first: StorageDirectory? = try await StorageDirectory.open(place.path, options: options)
    let queue = try await first?.openQueue(key)
    let error = await #expect(throws: StorageError.self) {
      try await StorageDirectory.open(place.path, options: options)
    }
    let holder = "process \(ProcessInfo.processInfo.processIdentifier)"
    #expect(error == .inUse(path: place.path, holder: holder))
    // An open queue keeps the directory.
    first = nil
    await #expect(throws: StorageError.self) {
      try await StorageDirectory.open(place.path, options: options)
    }
    await queue?.close()
  }

  @Test func `the lock goes with the last object`() async throws {
    do { _ = try await StorageDirectory.open(place.path, options: reports.options) }
    _ = try await StorageDirectory.open(place.path, options: reports.options)
  }

  @Test func `nobody else may read the files`() async throws {
    let directory = try await StorageDirectory.open(place.path, options: reports.options)
    let queue = try await directory.openQueue(key)
    let checkpoints = try await directory.openCheckpoints(key)
    let files = try FileManager.default.contentsOfDirectory(atPath: place.path).filter {
      $0.contains("sqlite")
    }
    #expect(files.count >= 4)
    for file in files {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(place.path)/\(file)")
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
    }
    await checkpoints.close()
    await queue.close()
  }

  @Test func `queues that hold something and that nobody opens are found`() async throws {
    let directory = try await StorageDirectory.open(place.path, options: reports.options)
    let keys = ["a", "b", "c"].map { StorageKey("exporter_\($0)") }
    var open: [DurableQueue] = []
    for (key, count) in zip(keys, [2, 0, 1]) {
      let queue = try await directory.openQueue(key)
      for index in 0..<count { try await queue.append(.numbered(index)) }
      if key == keys[2] { open.append(queue) } else { await queue.close() }
    }
    let found = await withCheckedContinuation { continuation in
      directory.findAbandoned { continuation.resume(returning: $0) }
    }
    #expect(found.map(\.key) == [keys[0]])
    #expect(found.map(\.totals.records) == [2])
    for queue in open { await queue.close() }
  }

  @Test func `a key is opened once at a time`() async throws {
    let directory = try await StorageDirectory.open(place.path, options: reports.options)
    let queue = try await directory.openQueue(key)
    await #expect(throws: StorageError.alreadyOpen(key: key.text)) { _ = try await directory.openQueue(key) }
    let checkpoints = try await directory.openCheckpoints(key)
    await checkpoints.close()
    await queue.close()
    await (try directory.openQueue(key)).close()
    #expect(
      await directory.databases() == [
        "exporter_otlp_http-backup.checkpoints.sqlite", "exporter_otlp_http-backup.queue.sqlite",
      ])
  }

  @Test func `a missing directory is an error unless it may be created`() async throws {
    let path = place.path + "/a/b"
    let error = await #expect(throws: StorageError.self) {
      try await StorageDirectory.open(path, options: reports.options)
    }
    #expect(error == .unusableDirectory(path: path, reason: "No such file or directory"))
    _ = try await StorageDirectory.open(path, creating: 0o750, options: reports.options)
    var isDirectory: ObjCBool = false
    #expect(FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue)
  }

  @Test func `keys of all kinds get files of their own`() async throws {
    let directory = try await StorageDirectory.open(place.path, options: reports.options)
    let long = String(repeating: "long", count: 100)
    let texts = ["a/b", "a_b", "a%2Fb", "../a", "", "ü", "a b", long + "1", long + "2", "."]
    var queues: [DurableQueue] = []
    for (number, text) in texts.enumerated() {
      let queue = try await directory.openQueue(StorageKey(text))
      try await queue.append(.numbered(number))
      queues.append(queue)
    }
    #expect(await directory.databases().count == texts.count)
    for (number, queue) in queues.enumerated() {
      #expect(await queue.drain(1) == [number])
      await queue.close()
    }
  }

  @Test func `checkpoints survive, and changes are made together`() async throws {
    let directory = try await StorageDirectory.open(place.path, options: reports.options)
    let store = try await directory.openCheckpoints(key)
    try await store.set("a", to: [1, 2, 3])
    try await store.set("empty", to: [])
    try await store.apply([.set(key: "b", value: [4]), .delete(key: "a"), .set(key: "c", value: [5])])
    try await store.delete("missing")
    #expect(try await store.value(of: "a") == nil)
    #expect(try await store.value(of: "empty") == [])
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<200 { group.addTask { try? await store.set("n\(number % 20)", to: [UInt8(number)]) } }
    }
    await store.close()
    await #expect(throws: StorageError.closed) { try await store.set("a", to: [1]) }
    let again = try await directory.openCheckpoints(key)
    #expect(try await again.value(of: "b") == [4])
    #expect(try await again.keys().count == 23)
    await again.close()
  }

  @Test func `damaged checkpoints are set aside`() async throws {
    let name = "exporter_otlp_http-backup.checkpoints.sqlite"
    try place.write(Data(repeating: 7, count: 70_000), to: name)
    let directory = try await StorageDirectory.open(place.path, options: reports.options)
    let store = try await directory.openCheckpoints(key)
    try await store.set("a", to: [1])
    #expect(try await store.value(of: "a") == [1])
    await store.close()
    #expect(reports.damages.count == 1)
    #expect(place.names.contains(name + ".damaged-1700000000"))
  }
}
