"""Writes the files of good/ and bad/. Needs NumPy 2.4.6, SciPy 1.17.1, PyArrow 26.0.1, h5py 3.16.0 and Pillow 13.0.0.

The table is the same everywhere: 4 rows, 3 columns, value 10 * row + column + 0.5 (both from 0), nothing at (1, 2) and
(3, 0), a zero at (2, 1). Sparse files store the zero and leave out the holes.
"""

import gzip
import pathlib
import zipfile
import zlib

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
import scipy.sparse
from PIL import Image

here = pathlib.Path(__file__).parent
good, bad = here / "good", here / "bad"
good.mkdir(exist_ok=True)
bad.mkdir(exist_ok=True)

table = np.add.outer(10.0 * np.arange(4), np.arange(3)) + 0.5
table[1, 2] = table[3, 0] = np.nan
table[2, 1] = 0
rows, cols = np.nonzero(~np.isnan(table))
coo = scipy.sparse.coo_array((table[rows, cols], (rows, cols)), shape=(4, 3))
whole = np.where(np.isnan(table), 0, np.floor(table))

# NPY
np.save(good / "c.npy", table)
np.save(good / "fortran.npy", np.asfortranarray(table))
np.save(good / "single-big-endian.npy", table.astype(">f4"))
np.save(good / "half.npy", table.astype("f2"))
np.save(good / "column.npy", table[:, 1])
for kind in ("i1", "u1", "<i2", ">u2", "<i4", ">u4", ">i8", "<u8"):
    np.save(good / f"whole-{kind.strip('<>')}.npy", whole.astype(kind))
np.save(good / "bool.npy", whole > 9)
np.save(good / "three-axes.npy", np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)))
with open(good / "version-2.npy", "wb") as file:
    np.lib.format.write_array(file, table, version=(2, 0))

# NPZ
np.savez(good / "stored.npz", table=table)
np.savez_compressed(good / "deflated.npz", table=table)
np.savez_compressed(good / "two.npz", first=whole, second=table)
scipy.sparse.save_npz(good / "csr.npz", coo.tocsr())
scipy.sparse.save_npz(good / "csc.npz", coo.tocsc())
scipy.sparse.save_npz(good / "coo.npz", coo, compressed=False)
order = [7, 2, 9, 0, 1, 3, 4, 5, 6, 8]
np.savez_compressed(good / "triplets.npz", rows=rows[order].astype("i4"), cols=cols[order].astype("i4"), values=table[rows, cols][order])

# MatrixMarket
lines = [f"{i + 1} {j + 1} {table[i, j]}\n" for i, j in zip(rows, cols)]
text = f"%%MatrixMarket matrix coordinate real general\n% a comment\n4 3 {len(lines)}\n" + "".join(lines)
(good / "coordinate.mtx").write_text(text)
(good / "coordinate.mtx.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
array = "".join(f"{'nan' if np.isnan(x) else x}\n" for x in table.T.ravel())
(good / "array.mtx").write_text(f"%%MatrixMarket matrix array real general\n4 3\n{array}")
square = np.array([[1.0, 2, 4], [2, 3, 5], [4, 5, 6]])
scipy.io.mmwrite(good / "symmetric-array.mtx", square, symmetry="symmetric")
scipy.io.mmwrite(good / "symmetric.mtx", scipy.sparse.coo_array(square), symmetry="symmetric")
skew = np.array([[0.0, -2, -4], [2, 0, -5], [4, 5, 0]])
scipy.io.mmwrite(good / "skew.mtx", scipy.sparse.coo_array(skew), symmetry="skew-symmetric")
scipy.io.mmwrite(good / "skew-array.mtx", skew, symmetry="skew-symmetric")
scipy.io.mmwrite(good / "pattern.mtx", scipy.sparse.coo_array(square[:, :2]), field="pattern")
scipy.io.mmwrite(good / "integer.mtx", scipy.sparse.coo_array(square[:, :2].astype(int)))

# Parquet
names = ["ann", "bob", "cid", "dee"]
nulls = [[None if np.isnan(x) else x for x in column] for column in table.T]
wide = {"name": names, "a": pa.array(nulls[0]), "town": ["x", "y", "x", None], "b": table[:, 1].astype("f4"), "c": table[:, 2]}
pq.write_table(pa.table(wide), good / "wide.parquet", compression="snappy")
pq.write_table(pa.table(wide), good / "wide-zstd.parquet", compression="zstd", row_group_size=2)
triplets = {"item": pa.array([30 - 10 * int(j) for j in cols]), "stars": table[rows, cols], "user": [names[i] for i in rows]}
pq.write_table(pa.table(triplets), good / "triplets.parquet", compression="gzip")

# MAT v5 and v7.3
scipy.io.savemat(good / "dense.mat", {"table": table})
scipy.io.savemat(good / "packed.mat", {"table": table}, do_compression=True)
scipy.io.savemat(good / "sparse.mat", {"table": coo.tocsc()}, do_compression=True)
cell = np.empty((1, 2), dtype=object)
cell[0, 0], cell[0, 1] = whole, coo.tocsc()
many = {"first": whole, "table": table, "X": cell, "s": {"a": 1}, "word": "text", "z": table * 1j, "cube": np.zeros((2, 2, 2)), "flag": whole > 9, "one": 3.0}
scipy.io.savemat(good / "many.mat", many, do_compression=True)


def hdf5(path, write):
    with h5py.File(path, "w", userblock_size=512, libver="earliest") as file:
        write(file)
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def dense73(file):
    file.create_dataset("table", data=table.T, chunks=(3, 2), compression="gzip").attrs["MATLAB_class"] = np.bytes_("double")


def sparse73(file):
    csc, group = coo.tocsc(), file.create_group("table")
    group.attrs["MATLAB_sparse"], group.attrs["MATLAB_class"] = np.uint64(4), np.bytes_("double")
    group["data"], group["ir"], group["jc"] = csc.data, csc.indices.astype("u8"), csc.indptr.astype("u8")


def many73(file):
    file["table"], file["first"] = table.T, whole.astype("i2").T
    file["cell"] = np.array([file["table"].ref], dtype=h5py.ref_dtype)
    file.create_group("s")["a"] = 1.0


hdf5(good / "dense-73.mat", dense73)
hdf5(good / "sparse-73.mat", sparse73)
hdf5(good / "many-73.mat", many73)

# PNG
grey = np.array([[0, 51, 102], [153, 204, 255]], dtype="u1")
Image.fromarray(grey).save(good / "grey.png")
Image.fromarray(grey.astype("u2") * 257).save(good / "grey-16.png")
Image.merge("RGBA", [Image.fromarray(x) for x in (grey, grey, grey, 255 - grey)]).save(good / "colour.png")
Image.fromarray(np.array([[255, 0, 255], [200, 255, 20]], dtype="u1")).save(good / "mask.png")
Image.fromarray(np.array([[1, 0], [0, 1]], dtype="u1") * 255).convert("1").save(good / "two-levels.png")

# Files that must be refused
npy = (good / "c.npy").read_bytes()
(bad / "truncated.npy").write_bytes(npy[:-9])
(bad / "longer.npy").write_bytes(npy + b"\0")
(bad / "wrong-magic.npy").write_bytes(b"\x93NUMPZ" + npy[6:])
(bad / "half-a-header.npy").write_bytes(npy[:40])


def claim(shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00v\x00" + header.encode()


(bad / "huge-claim.npy").write_bytes(claim("(31250, 40000)") + bytes(1024 - 128))
with zipfile.ZipFile(bad / "huge-claim.npz", "w") as archive:
    archive.writestr("table.npy", claim("(31250, 40000)"))
(bad / "overflow.npy").write_bytes(claim("(4294967296, 4294967296, 16)"))
(bad / "no-rows.npy").write_bytes(claim("(0, 3)"))
np.save(bad / "infinity.npy", np.array([[1.0, 2], [3, -np.inf]]))
np.save(bad / "complex.npy", np.array([[1j]]))
np.save(bad / "three-axes.npy", np.zeros((2, 2, 2)))
np.save(bad / "text.npy", np.array([["a"]]))
np.save(bad / "record.npy", np.zeros(2, dtype=[("a", "f8")]))
np.savez(bad / "empty.npz")
(bad / "truncated.npz").write_bytes((good / "deflated.npz").read_bytes()[:-30])
np.savez(bad / "unequal.npz", rows=[0, 1], cols=[0], values=[1.0, 2.0])
np.savez(bad / "outside.npz", format=np.bytes_("csr"), shape=[2, 2], data=[1.0], indices=[2], indptr=[0, 1, 1])
np.savez(bad / "pointers.npz", format=np.bytes_("csr"), shape=[2, 2], data=[1.0], indices=[1], indptr=[0, 9, 1])
np.savez(bad / "duplicate.npz", rows=[0, 0], cols=[1, 1], values=[1.0, 2.0])
np.savez(bad / "negative.npz", rows=[-1], cols=[1], values=[1.0])
market = "%%MatrixMarket matrix coordinate real general\n"
(bad / "outside.mtx").write_text(market + "2 2 2\n1 1 1\n3 1 2\n")
(bad / "wrong-count.mtx").write_text(market + "2 2 3\n1 1 1\n2 1 2\n")
(bad / "too-many.mtx").write_text(market + "2 2 1\n1 1 1\n2 1 2\n")
(bad / "huge-claim.mtx").write_text(market + "1000000 1000000 9000000000000\n1 1 1\n")
(bad / "huge-array.mtx").write_text("%%MatrixMarket matrix array real general\n100000 100000\n1\n")
(bad / "no-header.mtx").write_text("2 2 1\n1 1 1\n")
(bad / "word.mtx").write_text(market + "2 2 1\n1 1 one\n")
(bad / "complex.mtx").write_text("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n")
(bad / "skew.mtx").write_text("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n1 1 3\n")
parquet = (good / "wide.parquet").read_bytes()
(bad / "truncated.parquet").write_bytes(parquet[: len(parquet) // 2])
(bad / "headless.parquet").write_bytes(bytes(200) + parquet[200:])
pq.write_table(pa.table({"a": [1.0, float("inf")]}), bad / "infinity.parquet")
pq.write_table(pa.table({"a": ["x", "y"]}), bad / "words.parquet")
pq.write_table(pa.table({"a": [[1.0], [2.0]]}), bad / "lists.parquet")
(bad / "not-a-mat.mat").write_bytes(b"not a mat file ".ljust(200, b"."))
(bad / "truncated.mat").write_bytes((good / "dense.mat").read_bytes()[:-20])
(bad / "truncated-packed.mat").write_bytes((good / "packed.mat").read_bytes()[:-20])
(bad / "truncated-73.mat").write_bytes((good / "dense-73.mat").read_bytes()[:1500])
png = (good / "grey.png").read_bytes()
(bad / "truncated.png").write_bytes(png[:50])
size = b"IHDR" + b"\x00\x01\x86\xa0" * 2 + png[24:29]
(bad / "huge-claim.png").write_bytes(png[:12] + size + zlib.crc32(size).to_bytes(4, "big") + png[33:])
(bad / "not-a-png.png").write_bytes(b"GIF89a" + bytes(50))
