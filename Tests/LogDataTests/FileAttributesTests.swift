import Foundation
import Testing
import WireFormat

@testable import LogData

@Suite struct FileAttributesTests {
  private func attributes(_ config: FileAttributesConfig, _ facts: FileFacts) -> String {
    var entry = LogEntry()
    config.add(facts, to: &entry)
    return entry.literal(entry.value(at: FieldPath(.attributes)) ?? .null).json
  }

  @Test func `the name is there unless it is not wanted`() {
    var config = FileAttributesConfig()
    #expect(attributes(config, FileFacts(path: "/var/log/a.log")) == #"{"log.file.name":"a.log"}"#)
    config.includeFileName = false
    #expect(attributes(config, FileFacts(path: "/var/log/a.log")) == "{}")
  }

  @Test func `all there is to know about a file`() throws {
    let directory = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("attributes-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let target = directory.appendingPathComponent("target.log")
    try Data().write(to: target)
    let link = directory.appendingPathComponent("link.log")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
    var config = FileAttributesConfig()
    config.includeFilePath = true
    config.includeFileNameResolved = true
    config.includeFilePathResolved = true
    config.includeFileOwnerName = true
    config.includeFileOwnerGroupName = true
    config.includeFilePermissions = true
    let facts = FileFacts(path: link.path, owner: 0, group: 4_000_000_000, permissions: 0o100040)
    let expected = """
      {"log.file.name":"link.log","log.file.path":"\(link.path)","log.file.name_resolved":"target.log",\
      "log.file.path_resolved":"\(target.path)","log.file.owner.name":"root",\
      "log.file.owner.group.name":"4000000000","log.file.permissions":"040"}
      """
    #expect(attributes(config, facts).replacing("\\/", with: "/") == expected)
  }

  @Test func `numbers of records are written as into an entry`() throws {
    var config = FileAttributesConfig()
    #expect(!config.differsByRecord)
    config.includeFileRecordNumber = true
    config.includeFileRecordOffset = true
    #expect(config.differsByRecord)
    var writer = WireWriter()
    config.write(number: 1, offset: 0, to: &writer)
    var entry = LogEntry()
    config.add(number: 1, offset: 0, to: &entry)
    var expected = WireWriter()
    expected.writeAttributes(6, .attributes, of: entry)
    let (left, right) = (writer.finish(), expected.finish())
    #expect(left == right)
  }
}
