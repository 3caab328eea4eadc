/*
 * Kafka's own generated message classes as judge of src/wire: lines of tabs in, one line out for each.
 *   range  NAME                    the versions that these jars know: LOW  HIGH
 *   codec  NAME  VERSION  JSON  HEX   what Java writes for JSON, and what it makes of HEX
 *   errors                         every error of the protocol: CODE:NAME:RETRIABLE,...
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;

public final class CodecOracle {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Codec> CODECS = new HashMap<>();

  private CodecOracle() {}

  /** One message class: made empty, from bytes, from JSON. */
  private static final class Codec {
    final Constructor<?> empty;
    final Constructor<?> fromBytes;
    final Method fromJson;

    Codec(String name) throws Exception {
      Class<?> data;
      try {
        data = Class.forName("org.apache.kafka.common.message." + name + "Data");
      } catch (ClassNotFoundException missing) {
        data = Class.forName("org.apache.kafka.common.message." + name);
      }
      empty = data.getDeclaredConstructor();
      fromBytes = data.getDeclaredConstructor(Readable.class, short.class);
      fromJson = Class.forName(data.getName() + "JsonConverter").getMethod("read", JsonNode.class, short.class);
    }
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 16);
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String answer;
      try {
        answer = answerTo(line.split("\t", -1));
      } catch (Throwable error) {
        Throwable cause = error instanceof InvocationTargetException ? error.getCause() : error;
        answer = "error\t" + cause.toString().replaceAll("\\s+", " ");
      }
      out.println(answer);
      if (!in.ready()) out.flush();
    }
    out.flush();
  }

  private static String answerTo(String[] parts) throws Exception {
    switch (parts[0]) {
      case "range":
        Message some = (Message) codec(parts[1]).empty.newInstance();
        return "ok\t" + some.lowestSupportedVersion() + "\t" + some.highestSupportedVersion();
      case "codec":
        return compare(codec(parts[1]), Short.parseShort(parts[2]), parts[3], HexFormat.of().parseHex(parts[4]));
      case "errors":
        return errors();
      default:
        throw new IllegalArgumentException("unknown command " + parts[0]);
    }
  }

  private static Codec codec(String name) throws Exception {
    Codec codec = CODECS.get(name);
    if (codec == null) CODECS.put(name, codec = new Codec(name));
    return codec;
  }

  /** The bytes of Java; is the message read from ours the one that JSON says; how many of our bytes were left; our bytes written again. */
  private static String compare(Codec codec, short version, String json, byte[] theirs) throws Exception {
    Message said = (Message) codec.fromJson.invoke(null, JSON.readTree(json), version);
    ByteBuffer input = ByteBuffer.wrap(theirs);
    Message read = (Message) codec.fromBytes.newInstance(new ByteBufferAccessor(input), version);
    String hex = HexFormat.of().formatHex(write(said, version));
    return "ok\t" + hex + "\t" + said.equals(read) + "\t" + input.remaining() + "\t" + HexFormat.of().formatHex(write(read, version));
  }

  private static byte[] write(Message message, short version) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
    message.write(new ByteBufferAccessor(buffer), cache, version);
    if (buffer.hasRemaining()) throw new IllegalStateException("wrote less than its size");
    return buffer.array();
  }

  private static String errors() {
    StringBuilder out = new StringBuilder("ok\t");
    for (Errors error : Errors.values())
      out.append(error.code()).append(':').append(error.name()).append(':').append(error.exception() instanceof RetriableException).append(',');
    return out.substring(0, out.length() - 1);
  }
}
