(** * Samplers with normal noise: the matrices l, c, H, W determine the law

    The noise is made of K independent standard normal draws n_0, ..., n_{K-1}: w_j = sum_d G_jd n_d, with
    covariance W = G G^T. Of the law of the draws nothing is used but that a reflection of the draws, and so
    any rotation, does not change it. This is true of normal draws, because their density depends on |n_0|^2
    + ... + |n_{K-1}|^2 alone. A law gives a number to every event: read it as the outer probability, which
    is the probability where the event has one, and is not changed by a reflection either. If two samplers
    draw differently often, K is the larger number. *)

From Coq Require Import Reals Lra Lia Arith FunctionalExtensionality Classical.
From Fingerprint Require Import Samplers Folding Reduction.
Open Scope R_scope.

(** ** Draws *)

(** The probability of an event of the draws. *)
Definition law (Coordinate : Type) := ((nat -> state Coordinate) -> Prop) -> R.

Section Draws.
Variable K : nat.                                             (* the number of draws *)
Definition dot (a b : nat -> R) : R := sum K (fun d => a d * b d).

(** W_ij, of the noises that the rows i and j of G make of the draws. *)
Definition covariance (G : nat -> nat -> R) (i j : nat) : R := dot (G i) (G j).

(** The variance of w_i - w_j: W_ii - 2 W_ij + W_jj. *)
Definition distance (G : nat -> nat -> R) (i j : nat) : R :=
  covariance G i i - 2 * covariance G i j + covariance G j j.

(** a, reflected in the plane that is orthogonal to v. *)
Definition reflect (v a : nat -> R) (d : nat) : R :=
  if (d <? K)%nat then a d - 2 * dot v a / dot v v * v d else a d.

Context {Coordinate : Type}.
Definition noise (G : nat -> nat -> R) (n : nat -> state Coordinate) : nat -> state Coordinate :=
  fun j k => dot (G j) (fun d => n d k).

(** In every coordinate the draws are reflected alike. *)
Definition reflect_draws (v : nat -> R) (n : nat -> state Coordinate) : nat -> state Coordinate :=
  fun d k => reflect v (fun e => n e k) d.

(** Of a law, or of another functional of what is drawn, such as an expectation. *)
Definition rotation_invariant {X Y} (P : ((nat -> state Coordinate) -> X) -> Y) : Prop :=
  forall v f, dot v v <> 0 -> P (fun n => f (reflect_draws v n)) = P f.
End Draws.

(** ** Rows with the same inner products are rotations of each other *)

Section Rotations.
Variable K : nat.
Notation "a '@' b" := (dot K a b) (at level 35).

Lemma dot_comm : forall a b, a @ b = b @ a.
Proof. intros a b. apply sum_ext. intros. lra. Qed.

Lemma dot_ext : forall a b a' b',
  (forall d, (d < K)%nat -> a d = a' d) -> (forall d, (d < K)%nat -> b d = b' d) ->
  a @ b = a' @ b'.
Proof. intros a b a' b' same_a same_b. apply sum_ext. intros. rewrite same_a, same_b by assumption. lra.
Qed.

Lemma dot_minus : forall a b t v, a @ (fun d => b d - t * v d) = a @ b - t * (a @ v).
Proof.
  intros a b t v. unfold dot. induction K as [|m IH]; simpl; [|rewrite IH]; lra.
Qed.

Lemma sum_squares : forall m (v : nat -> R), 0 <= sum m (fun d => v d * v d).
Proof.
  induction m as [|m IH]; intros v; simpl; [lra|]. specialize (IH v).
  pose proof (Rle_0_sqr (v m)) as square. unfold Rsqr in square. lra.
Qed.

Lemma dot_zero : forall v, v @ v = 0 -> forall d, (d < K)%nat -> v d = 0.
Proof.
  intros v. unfold dot. induction K as [|m IH]; simpl; intros zero d small; [lia|].
  pose proof (sum_squares m v). pose proof (Rle_0_sqr (v m)) as square. unfold Rsqr in square.
  destruct (Nat.eq_dec d m) as [->|]; [apply Rsqr_0_uniq; unfold Rsqr; lra|]. apply IH; [lra|lia].
Qed.

Lemma dot_reflect_right : forall v a b, a @ (reflect K v b) = a @ b - 2 * (v @ b) / (v @ v) * (a @ v).
Proof.
  intros v a b. rewrite <- dot_minus. apply dot_ext; [reflexivity|]. intros d small. unfold reflect.
  apply Nat.ltb_lt in small. rewrite small. reflexivity.
Qed.

(** Reflecting one factor or the other is the same, and reflecting both changes nothing. *)
Lemma reflect_symmetric : forall v a b, (reflect K v a) @ b = a @ (reflect K v b).
Proof.
  intros v a b. rewrite (dot_comm (reflect K v a)), !dot_reflect_right.
  rewrite (dot_comm b a), (dot_comm b v), (dot_comm a v). unfold Rdiv. lra.
Qed.

Lemma reflect_isometric : forall v a b, v @ v <> 0 -> (reflect K v a) @ (reflect K v b) = a @ b.
Proof.
  intros v a b nonzero. rewrite reflect_symmetric, !dot_reflect_right. rewrite (dot_comm a v). field.
  assumption.
Qed.

(** G, and what becomes of its rows by reflections, one after the other. *)
Inductive turned (G : nat -> nat -> R) : (nat -> nat -> R) -> Prop :=
  | turned_not : turned G G
  | turned_on : forall G' v, turned G G' -> v @ v <> 0 -> turned G (fun j => reflect K v (G' j)).

Lemma turned_covariance : forall G G', turned G G' -> forall i j, covariance K G' i j = covariance K G i j.
Proof.
  intros G G' turns. induction turns as [|G' v _ IH nonzero]; intros i j; [reflexivity|].
  unfold covariance. rewrite reflect_isometric by assumption. apply IH.
Qed.

(** One more row at a time: the reflection that carries a to b, which is as long, leaves alone what has the
    same inner product with both. *)
Lemma rows_turn : forall m G G',
  (forall i j, (i < m)%nat -> (j < m)%nat -> covariance K G i j = covariance K G' i j) ->
  exists T, turned G T /\ forall i d, (i < m)%nat -> (d < K)%nat -> T i d = G' i d.
Proof.
  induction m as [|m IH]; intros G G' equal; [exists G; split; [constructor|lia]|].
  destruct (IH G G') as [T [turns rows]]; [intros; apply equal; lia|].
  set (v := fun d => T m d - 1 * G' m d).
  assert (cross : forall i, (i < m)%nat -> T m @ G' i = G' m @ G' i).
  { intros i small. transitivity (covariance K T m i).
    - apply dot_ext; [reflexivity|]. intros. symmetry. apply rows; assumption.
    - rewrite (turned_covariance G T turns). apply equal; lia. }
  assert (long : T m @ T m = G' m @ G' m).
  { change (covariance K T m m = covariance K G' m m). rewrite (turned_covariance G T turns).
    apply equal; lia. }
  destruct (Req_dec (v @ v) 0) as [zero|nonzero].
  - exists T. split; [assumption|]. intros i d small few.
    destruct (Nat.eq_dec i m) as [->|]; [|apply rows; lia].
    pose proof (dot_zero v zero d few). unfold v in *. lra.
  - exists (fun j => reflect K v (T j)). split; [constructor; assumption|]. intros i d small few.
    unfold reflect. apply Nat.ltb_lt in few as inside. rewrite inside.
    destruct (Nat.eq_dec i m) as [->|].
    + replace (2 * (v @ T m)) with (v @ v).
      * unfold Rdiv. rewrite Rinv_r by assumption. unfold v. lra.
      * rewrite (dot_comm v (T m)). unfold v at 2 3. rewrite !dot_minus, !(dot_comm v).
        unfold v. rewrite !dot_minus, (dot_comm (G' m) (T m)). lra.
    + replace (v @ T i) with 0.
      * unfold Rdiv. rewrite Rmult_0_r, Rmult_0_l, Rmult_0_l, Rminus_0_r. apply rows; lia.
      * rewrite (dot_ext v (T i) v (G' i)); [|reflexivity|intros; apply rows; lia].
        rewrite dot_comm. unfold v. rewrite dot_minus, dot_comm, (dot_comm (G' i)), (cross i) by lia. lra.
Qed.

Context {Coordinate : Type}.

(** The law of the noise depends on its covariance alone. *)
Lemma noise_law : forall {X Y} (P : ((nat -> state Coordinate) -> X) -> Y) m G G' event,
  rotation_invariant K P ->
  (forall i j, (i < m)%nat -> (j < m)%nat -> covariance K G i j = covariance K G' i j) ->
  (forall w w', (forall j, (j < m)%nat -> w j = w' j) -> event w = event w') ->
  P (fun n => event (noise K G n)) = P (fun n => event (noise K G' n)).
Proof.
  intros X Y P m G G' event invariant equal sees.
  destruct (rows_turn m G G' equal) as [T [turns rows]].
  transitivity (P (fun n => event (noise K T n))).
  - clear rows. induction turns as [|T v _ IH nonzero]; [reflexivity|]. rewrite IH.
    rewrite <- (invariant v _ nonzero). f_equal. extensionality n. f_equal.
    extensionality j. extensionality k. symmetry. apply reflect_symmetric.
  - f_equal. extensionality n. apply sees. intros j small. extensionality k.
    apply dot_ext; [intros; apply rows; assumption|reflexivity].
Qed.
End Rotations.

(** ** The output sees the noise of its rows only, and of start and noise only their sum *)

Lemma query_shares : forall {Label Coordinate} (A B : sampler Label) (F : network Label Coordinate)
    zeta zeta' w w',
  calls A = calls B -> (forall i, (i < calls A)%nat -> label A i = label B i) ->
  (forall j i, (j <= calls A)%nat -> (i < calls A)%nat -> weight A j i = weight B j i) ->
  (forall j k, (j <= calls A)%nat -> start A j * zeta k + w j k = start B j * zeta' k + w' j k) ->
  forall j, (j <= calls A)%nat -> query A F zeta w j = query B F zeta' w' j.
Proof.
  intros Label Coordinate A B F zeta zeta' w w' counts labels weights shares.
  intros j; induction j as [j IH] using (well_founded_induction lt_wf); intros small.
  rewrite (query_equation A), (query_equation B). extensionality k. specialize (shares j k small).
  rewrite (sum_ext j _ (fun i => weight B j i * F (label B i) (query B F zeta' w' i) k)); [lra|].
  intros i before. rewrite weights, labels, IH by lia. reflexivity.
Qed.

Corollary output_noise : forall {Label Coordinate} (A : sampler Label)
  (F : network Label Coordinate) zeta w w',
  (forall j, (j < S (calls A))%nat -> w j = w' j) -> output A F zeta w = output A F zeta w'.
Proof.
  intros Label Coordinate A F zeta w w' same. apply query_shares; auto.
  intros j k small. rewrite same by lia. reflexivity.
Qed.

(** ** Given the start *)

(** l, H and a matrix of covariances agree after renaming; c as well, or only that. *)
Definition same_given_start {Label} K (A : sampler Label) G (B : sampler Label) G' : Prop :=
  exists p p', renaming A B p p' /\ agree A B p /\
    forall i j, (i <= calls A)%nat -> (j <= calls A)%nat ->
      covariance K G i j = covariance K G' (p i) (p j).

Section Given.
Variable K : nat.

Lemma law_given_start : forall {Label Coordinate} (A B : sampler Label) G G' (F : network Label Coordinate)
    zeta (P : law Coordinate) event,
  same_given_start K A G B G' -> rotation_invariant K P ->
  P (fun n => event (output A F zeta (noise K G n))) = P (fun n => event (output B F zeta (noise K G' n))).
Proof.
  intros Label Coordinate A B G G' F zeta P event [p [p' [names [equal covariances]]]] invariant.
  transitivity (P (fun n => event (output A F zeta (noise K (fun j => G' (p j)) n)))).
  - apply (noise_law K P (S (calls A)) G (fun j => G' (p j)) (fun w => event (output A F zeta w))
      invariant).
    + intros i j small_i small_j. apply covariances; lia.
    + intros w w' same. f_equal. apply output_noise. assumption.
  - f_equal. extensionality n. f_equal. apply (folded_output A B (fun _ => true) p).
    + apply agree_folds with p'; assumption.
    + reflexivity.
Qed.

(** Noises at the distance zero are equal, for all draws. *)
Lemma distance_square : forall G i j,
  distance K G i j = dot K (fun d => G i d - 1 * G j d) (fun d => G i d - 1 * G j d).
Proof.
  intros G i j. rewrite dot_minus, !(dot_comm K (fun d => G i d - 1 * G j d)), !dot_minus.
  rewrite (dot_comm K (G j) (G i)). unfold distance, covariance. lra.
Qed.

Lemma distance_zero : forall G i j, distance K G i j = 0 <-> forall d, (d < K)%nat -> G i d = G j d.
Proof.
  intros G i j. rewrite distance_square. split.
  - intros zero d small. pose proof (dot_zero K _ zero d small) as difference. simpl in difference. lra.
  - intros rows. apply sum_zero. intros d small. rewrite (rows d small). lra.
Qed.

Lemma distance_noise : forall {Coordinate} G i j (n : nat -> state Coordinate),
  distance K G i j = 0 -> noise K G n i = noise K G n j.
Proof.
  intros Coordinate G i j n zero. extensionality k.
  apply dot_ext; [apply distance_zero; assumption|reflexivity].
Qed.

Definition reduced_given_start {Label} (A : sampler Label) G : Prop :=
  reduced_with (fun i j => distance K G i j = 0) A.

(** Merging and deleting change no output, whatever is drawn. *)
Lemma reduced_form_given_start : forall {Label} (A : sampler Label) G,
  exists B G', reduced_given_start B G' /\ forall Coordinate (F : network Label Coordinate) zeta n,
    output A F zeta (noise K G n) = output B F zeta (noise K G' n).
Proof.
  intros Label A G.
  destruct (reduced_form (calls A) A (fun i j => distance K G i j = 0)) as [B [s [minimal [_ [_ equal]]]]].
  - lia.
  - intros i j zero. apply distance_zero. intros d small. symmetry. revert d small. apply distance_zero.
    assumption.
  - exists B, (fun u => G (s u)). split; [assumption|]. intros Coordinate F zeta n. apply equal.
    intros i j. apply distance_noise.
Qed.
End Given.
