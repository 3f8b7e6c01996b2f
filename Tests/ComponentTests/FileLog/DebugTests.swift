import Foundation
import PipelineKit
import PipelineTestKit
import Testing
@testable import Receivers
@Suite struct DebugTailTests {
  @Test func `debug`() throws {
    let yaml = "{include: ['DIR/*.log*'], compression: auto}"
    var rig = try TailRig(isStoring: true, settings: yaml)
    try rig.append("b.log", "line 1\nline 2\n")
    rig.pass(.seconds(1))
    rig.stop()
    rig = try TailRig(after: rig, isStoring: true, settings: yaml)
    rig.pass(.seconds(1))
    print("RENAME")
    try rig.rename("b.log", to: "b.log.1")
    try rig.compress("b.log.1")
    rig.pass(.seconds(5))
    #expect(rig.bodies.isEmpty)
  }
}
