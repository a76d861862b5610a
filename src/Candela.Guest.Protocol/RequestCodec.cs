using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Protocol;

/// <summary>What the host asks: configuration, identity and processes as bytes.</summary>
internal static class RequestCodec
{
    public static void Write(MessageWriter writer, GuestIdentity identity)
    {
        writer.Bytes(identity.Entropy);
        writer.I64(identity.WallClockNanoseconds);
        writer.Text(identity.Hostname);
        writer.Text(identity.Domainname);
        writer.Text(identity.MachineId);
        Write(writer, identity.Network);
        Write(writer, identity.Files);
    }

    public static GuestIdentity ReadIdentity(ref MessageReader reader) => new()
    {
        Entropy = reader.Bytes().ToArray(),
        WallClockNanoseconds = reader.I64(),
        Hostname = reader.Text(),
        Domainname = reader.Text(),
        MachineId = reader.Text(),
        Network = ReadNetwork(ref reader),
        Files = ReadFiles(ref reader),
    };

    public static void Write(MessageWriter writer, GuestNetwork network)
    {
        writer.I32(network.Interfaces.Count);
        for (var i = 0; i < network.Interfaces.Count; i++)
            Write(writer, network.Interfaces[i]);
        writer.Texts(network.HostsLines);
        writer.Text(network.ResolvConf);
    }

    public static GuestNetwork ReadNetwork(ref MessageReader reader) => new()
    {
        Interfaces = ReadInterfaces(ref reader),
        HostsLines = reader.Texts(),
        ResolvConf = reader.Text(),
    };

    public static void Write(MessageWriter writer, GuestLimits limits)
    {
        writer.I64(limits.MemoryBytes);
        writer.I64(limits.NanoCpus);
        writer.I64(limits.Pids);
    }

    public static GuestLimits ReadLimits(ref MessageReader reader) => new(reader.I64(), reader.I64(), reader.I64());

    public static void Write(MessageWriter writer, GuestConfiguration configuration)
    {
        Write(writer, configuration.Identity);
        writer.Text(configuration.ImageFileSystem);
        writer.Bool(configuration.ReadOnlyRoot);
        writer.Bool(configuration.HasScratch);
        writer.Pairs(configuration.Tmpfs);
        writer.I32(configuration.Volumes.Count);
        for (var i = 0; i < configuration.Volumes.Count; i++)
        {
            var (disk, target, readOnly, copyUp) = configuration.Volumes[i];
            writer.I32(disk);
            writer.Text(target);
            writer.Bool(readOnly);
            writer.Bool(copyUp);
        }
        writer.I64(configuration.ShmSizeBytes);
        writer.I64(configuration.MemoryLimitBytes);
        writer.I64(configuration.NanoCpus);
        writer.I64(configuration.PidsLimit);
        writer.Pairs(configuration.Sysctls);
        writer.Bool(configuration.Privileged);
        writer.Text(configuration.IdentityFolder);
    }

    public static GuestConfiguration ReadConfiguration(ref MessageReader reader) => new()
    {
        Identity = ReadIdentity(ref reader),
        ImageFileSystem = reader.Text(),
        ReadOnlyRoot = reader.Bool(),
        HasScratch = reader.Bool(),
        Tmpfs = reader.Pairs(),
        Volumes = ReadVolumes(ref reader),
        ShmSizeBytes = reader.I64(),
        MemoryLimitBytes = reader.I64(),
        NanoCpus = reader.I64(),
        PidsLimit = reader.I64(),
        Sysctls = reader.Pairs(),
        Privileged = reader.Bool(),
        IdentityFolder = reader.Text(),
    };

    private static GuestVolume[] ReadVolumes(ref MessageReader reader)
    {
        var volumes = new GuestVolume[reader.Count(10)];
        for (var i = 0; i < volumes.Length; i++)
        {
            var disk = reader.I32();
            var target = reader.Text();
            var readOnly = reader.Bool();
            volumes[i] = new GuestVolume(disk, target, readOnly, reader.Bool());
        }
        return volumes;
    }

    public static void Write(MessageWriter writer, GuestProcess process)
    {
        writer.Bool(process.Tty);
        writer.U16(process.Rows);
        writer.U16(process.Columns);
        writer.Bool(process.OpenStdin);
        writer.Bool(process.DiscardOutput);
        writer.Texts(process.Arguments);
        writer.Texts(process.Environment);
        writer.Text(process.WorkingDirectory);
        writer.Text(process.User);
        writer.Texts(process.Groups);
        writer.U64(process.Capabilities);
        writer.Bool(process.NoNewPrivileges);
        writer.I32(process.Rlimits.Count);
        for (var i = 0; i < process.Rlimits.Count; i++)
        {
            var (resource, soft, hard) = process.Rlimits[i];
            writer.I32(resource);
            writer.U64(soft);
            writer.U64(hard);
        }
        writer.I32(process.OomScoreAdjustment);
    }

    public static GuestProcess ReadProcess(ref MessageReader reader) => new()
    {
        Tty = reader.Bool(),
        Rows = reader.U16(),
        Columns = reader.U16(),
        OpenStdin = reader.Bool(),
        DiscardOutput = reader.Bool(),
        Arguments = reader.Texts(),
        Environment = reader.Texts(),
        WorkingDirectory = reader.Text(),
        User = reader.Text(),
        Groups = reader.Texts(),
        Capabilities = reader.U64(),
        NoNewPrivileges = reader.Bool(),
        Rlimits = ReadRlimits(ref reader),
        OomScoreAdjustment = reader.I32(),
    };

    private static void Write(MessageWriter writer, GuestInterface card)
    {
        writer.I32(card.Number);
        writer.Bytes(card.Mac);
        writer.I32(card.Mtu);
        writer.Bytes(card.Ipv4);
        writer.I32(card.Ipv4PrefixLength);
        writer.Bytes(card.Ipv6);
        writer.I32(card.Ipv6PrefixLength);
        writer.I32(card.Routes.Count);
        for (var i = 0; i < card.Routes.Count; i++)
        {
            writer.Bytes(card.Routes[i].Destination);
            writer.I32(card.Routes[i].PrefixLength);
            writer.Bytes(card.Routes[i].Gateway);
        }
    }

    private static GuestInterface[] ReadInterfaces(ref MessageReader reader)
    {
        var cards = new GuestInterface[reader.Count(32)];
        for (var i = 0; i < cards.Length; i++)
        {
            cards[i] = new GuestInterface
            {
                Number = reader.I32(),
                Mac = reader.Bytes().ToArray(),
                Mtu = reader.I32(),
                Ipv4 = reader.Bytes().ToArray(),
                Ipv4PrefixLength = reader.I32(),
                Ipv6 = reader.Bytes().ToArray(),
                Ipv6PrefixLength = reader.I32(),
                Routes = ReadRoutes(ref reader),
            };
        }
        return cards;
    }

    private static GuestRoute[] ReadRoutes(ref MessageReader reader)
    {
        var routes = new GuestRoute[reader.Count(12)];
        for (var i = 0; i < routes.Length; i++)
            routes[i] = new GuestRoute(reader.Bytes().ToArray(), reader.I32(), reader.Bytes().ToArray());
        return routes;
    }

    public static void Write(MessageWriter writer, IReadOnlyList<GuestFile> files)
    {
        writer.I32(files.Count);
        for (var i = 0; i < files.Count; i++)
        {
            writer.Text(files[i].Name);
            writer.Text(files[i].Text);
            writer.Bool(files[i].IsSecret);
        }
    }

    public static GuestFile[] ReadFiles(ref MessageReader reader)
    {
        var files = new GuestFile[reader.Count(9)];
        for (var i = 0; i < files.Length; i++)
            files[i] = new GuestFile(reader.Text(), reader.Text(), reader.Bool());
        return files;
    }

    private static (int, ulong, ulong)[] ReadRlimits(ref MessageReader reader)
    {
        var limits = new (int, ulong, ulong)[reader.Count(20)];
        for (var i = 0; i < limits.Length; i++)
        {
            var resource = reader.I32();
            var soft = reader.U64();
            limits[i] = (resource, soft, reader.U64());
        }
        return limits;
    }
}
